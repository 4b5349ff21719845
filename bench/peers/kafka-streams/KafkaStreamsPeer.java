import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.WindowStore;

/**
 * The fraud query as one writes it with the DSL: one thread, at least once, changelog and output topic as by default.
 * Prints processor time of this process between the middle and the last event.
 */
public class KafkaStreamsPeer {
  public static class Attempt {
    public String attempt_id, card_number, currency, merchant, country, channel;
    public double amount;
    public long ts;
  }

  public static class Group {
    public long n;
    public double sum;
  }

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static long seen, cpuAtHalf, cpuAtEnd;

  /** args: bootstrap, topic, memory|rocksdb, events, state folder */
  public static void main(String[] args) throws Exception {
    long events = Long.parseLong(args[3]);
    String id = "fraud-" + System.nanoTime();
    String out = id + "-out";
    Properties properties = new Properties();
    properties.put("application.id", id);
    properties.put("bootstrap.servers", args[0]);
    properties.put("state.dir", args[4]);
    properties.put("auto.offset.reset", "earliest");
    properties.put("num.stream.threads", 1);
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
      admin.createTopics(List.of(new NewTopic(out, 1, (short) 1))).all().get();
    }

    CountDownLatch done = new CountDownLatch(1);
    Materialized<String, Group, WindowStore<Bytes, byte[]>> store =
        args[2].equals("memory")
            ? Materialized.as(Materialized.StoreType.IN_MEMORY)
            : Materialized.as(Materialized.StoreType.ROCKS_DB);
    StreamsBuilder builder = new StreamsBuilder();
    builder
        .stream(args[1], Consumed.with(Serdes.String(), json(Attempt.class)))
        .groupByKey()
        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(5), Duration.ofSeconds(5)))
        .aggregate(
            Group::new,
            (card, attempt, group) -> {
              group.n++;
              group.sum += attempt.amount;
              if (++seen == events / 2) cpuAtHalf = SYSTEM.getProcessCpuTime();
              if (seen == events) {
                cpuAtEnd = SYSTEM.getProcessCpuTime();
                done.countDown();
              }
              return group;
            },
            store.withKeySerde(Serdes.String()).withValueSerde(json(Group.class)))
        .toStream()
        .filter((card, group) -> group.n > 3)
        .to(out, Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, 5000), json(Group.class)));

    KafkaStreams streams = new KafkaStreams(builder.build(), properties);
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          System.exit(3);
          return null;
        });
    streams.start();
    done.await();
    streams.close(Duration.ofSeconds(60));
    long[] answer = answer(args[0], out);
    System.out.printf(
        "{\"events\":%d,\"cpuMs\":%d,\"steadyEvents\":%d,\"steadyCpuMs\":%d,\"groups\":%d,\"attempts\":%d,\"cents\":%d}%n",
        events,
        cpuAtEnd / 1_000_000,
        events - events / 2,
        (cpuAtEnd - cpuAtHalf) / 1_000_000,
        answer[0],
        answer[1],
        answer[2]);
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
      List<String> own =
          admin.listTopics().names().get().stream().filter(name -> name.startsWith(id)).toList();
      admin.deleteTopics(own).all().get();
    }
    System.exit(0);
  }

  /** The last value of each key of the output topic: how many groups, their attempts, their cents. */
  private static long[] answer(String bootstrap, String topic) throws IOException {
    Map<String, byte[]> last = new HashMap<>();
    TopicPartition partition = new TopicPartition(topic, 0);
    Map<String, Object> settings = Map.of("bootstrap.servers", bootstrap);
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      while (consumer.position(partition) < end) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
          last.put(Base64.getEncoder().encodeToString(record.key()), record.value());
        }
      }
    }
    long[] answer = {last.size(), 0, 0};
    for (byte[] value : last.values()) {
      Group group = MAPPER.readValue(value, Group.class);
      answer[1] += group.n;
      answer[2] += Math.round(group.sum * 100);
    }
    return answer;
  }

  private static <T> Serde<T> json(Class<T> type) {
    ObjectReader reader = MAPPER.readerFor(type);
    ObjectWriter writer = MAPPER.writerFor(type);
    return Serdes.serdeFrom(
        (topic, value) -> {
          try {
            return value == null ? null : writer.writeValueAsBytes(value);
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        },
        (topic, bytes) -> {
          try {
            return bytes == null ? null : reader.readValue(bytes);
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        });
  }
}
