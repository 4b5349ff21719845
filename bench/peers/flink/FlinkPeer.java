import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/**
 * The fraud query in Flink SQL, streaming, parallelism one, in one JVM: the job runs several times, the last time counts
 * (the compiler is warm then). Afterwards it runs once more into this program, for its answer.
 */
public class FlinkPeer {
  private static final String QUERY =
      "SELECT card_number, window_start, COUNT(*) AS n, SUM(amount) AS s"
          + " FROM TABLE(TUMBLE(TABLE attempts, DESCRIPTOR(event_time), INTERVAL '5' SECOND))"
          + " GROUP BY card_number, window_start, window_end HAVING COUNT(*) > 3";

  /** args: events, runs, checkpoint folder or none, file path or kafka, then bootstrap and topic */
  public static void main(String[] args) throws Exception {
    long events = Long.parseLong(args[0]);
    int runs = Integer.parseInt(args[1]);
    Configuration settings = new Configuration();
    settings.setString("parallelism.default", "1");
    settings.setString("taskmanager.numberOfTaskSlots", "1");
    settings.setString("taskmanager.memory.managed.size", "512m");
    settings.setString("taskmanager.memory.network.min", "64m");
    settings.setString("taskmanager.memory.network.max", "64m");
    if (!args[2].equals("none")) {
      settings.setString("execution.checkpointing.interval", "5 s");
      settings.setString("execution.checkpointing.dir", "file://" + args[2]);
      settings.setString("state.backend.type", "hashmap");
    }
    TableEnvironment tables =
        TableEnvironment.create(
            EnvironmentSettings.newInstance().withConfiguration(settings).inStreamingMode().build());
    String source =
        args[3].equals("kafka")
            ? "'connector'='kafka', 'properties.bootstrap.servers'='" + args[4] + "', 'topic'='" + args[5]
                + "', 'properties.group.id'='f" + System.nanoTime() + "', 'scan.startup.mode'='earliest-offset',"
                + " 'scan.bounded.mode'='latest-offset', 'format'='json'"
            : "'connector'='filesystem', 'path'='file://" + args[3] + "', 'format'='json'";
    tables.executeSql(
        "CREATE TABLE attempts (attempt_id STRING, card_number STRING, amount DOUBLE, currency STRING, ts BIGINT,"
            + " merchant STRING, country STRING, channel STRING, event_time AS TO_TIMESTAMP_LTZ(ts, 3),"
            + " WATERMARK FOR event_time AS event_time - INTERVAL '5' SECOND) WITH (" + source + ")");
    tables.executeSql(
        "CREATE TABLE nowhere (card_number STRING, window_start TIMESTAMP(3), n BIGINT, s DOUBLE)"
            + " WITH ('connector'='blackhole')");

    OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long first = 0;
    long last = 0;
    for (int run = 0; run < runs; run++) {
      long before = system.getProcessCpuTime();
      tables.executeSql("INSERT INTO nowhere " + QUERY).await(10, TimeUnit.MINUTES);
      last = system.getProcessCpuTime() - before;
      if (run == 0) first = system.getProcessCpuTime();
    }
    long groups = 0;
    long attempts = 0;
    long cents = 0;
    try (CloseableIterator<Row> rows = tables.executeSql(QUERY).collect()) {
      while (rows.hasNext()) {
        Row row = rows.next();
        groups++;
        attempts += (Long) row.getField("n");
        cents += Math.round((Double) row.getField("s") * 100);
      }
    }
    System.out.printf(
        "{\"events\":%d,\"cpuMs\":%d,\"steadyEvents\":%d,\"steadyCpuMs\":%d,\"groups\":%d,\"attempts\":%d,\"cents\":%d}%n",
        events, first / 1_000_000, events, last / 1_000_000, groups, attempts, cents);
    System.exit(0);
  }
}
