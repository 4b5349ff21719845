import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Lines of JSON into a new topic of one partition: the card as key, the event's time as timestamp. */
public class LoadTopic {
  /** args: bootstrap, topic, file */
  public static void main(String[] args) throws Exception {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", args[0]);
    properties.put("batch.size", 1 << 18);
    properties.put("linger.ms", 20);
    try (Admin admin = Admin.create(properties)) {
      admin.createTopics(List.of(new NewTopic(args[1], 1, (short) 1))).all().get();
    }
    long count = 0;
    try (KafkaProducer<byte[], byte[]> producer =
            new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
        BufferedReader lines = Files.newBufferedReader(Path.of(args[2]))) {
      for (String line; (line = lines.readLine()) != null; count++) {
        byte[] card = between(line, "\"card_number\":\"", '"').getBytes(StandardCharsets.UTF_8);
        long time = Long.parseLong(between(line, "\"ts\":", ','));
        producer.send(
            new ProducerRecord<>(args[1], 0, time, card, line.getBytes(StandardCharsets.UTF_8)));
      }
    }
    System.out.println("{\"events\":" + count + "}");
  }

  private static String between(String line, String before, char after) {
    int start = line.indexOf(before) + before.length();
    return line.substring(start, line.indexOf(after, start));
  }
}
