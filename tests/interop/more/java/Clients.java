// Kafka's own client against the server whose address is given: admin, producer, and a consumer
// with a fetch session. Prints a line for each check.

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class Clients {
  static final String TOPIC = "java";
  static final ConfigResource RESOURCE = new ConfigResource(ConfigResource.Type.TOPIC, TOPIC);

  static void check(boolean good, String what, Object detail) {
    System.out.println((good ? "ok - " : "not ok - ") + what + (good ? "" : "\n    " + detail));
  }

  /** What a future failed with; null if it did not. */
  static Throwable failure(KafkaFuture<?> future) throws InterruptedException {
    try {
      future.get();
      return null;
    } catch (ExecutionException e) {
      return e.getCause();
    }
  }

  static void checkTopics(Admin admin) throws Exception {
    NewTopic topic = new NewTopic(TOPIC, 3, (short) 3);
    admin.createTopics(List.of(topic.configs(Map.of("min.insync.replicas", "2")))).all().get();
    admin.createPartitions(Map.of(TOPIC, NewPartitions.increaseTo(6))).all().get();
    var partitions = admin.describeTopics(List.of(TOPIC)).allTopicNames().get().get(TOPIC)
        .partitions();
    check(partitions.size() == 6 && partitions.get(5).replicas().size() == 1,
        "a topic for three replicas has one, and grows to six partitions", partitions);
    Throwable refused =
        failure(admin.createPartitions(Map.of(TOPIC, NewPartitions.increaseTo(2))).all());
    check(refused instanceof InvalidPartitionsException, "it does not shrink", refused);
    check(admin.listPartitionReassignments().reassignments().get().isEmpty(),
        "no partition is being moved", "");
    var directories = admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1);
    check(directories.values().iterator().next().replicaInfos().size() == 6,
        "its six partitions are in the data directory", directories);
  }

  static KafkaFuture<Void> set(Admin admin, String name, String value) {
    AlterConfigOp op = new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET);
    return admin.incrementalAlterConfigs(Map.of(RESOURCE, List.of(op))).all();
  }

  static void checkConfigs(Admin admin) throws Exception {
    set(admin, "retention.ms", "86400000").get();
    var options = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
    Config config = admin.describeConfigs(List.of(RESOURCE), options).all().get().get(RESOURCE);
    ConfigEntry entry = config.get("retention.ms");
    check(entry.value().equals("86400000")
            && entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG
            && entry.synonyms().size() == 2 && entry.type() == ConfigEntry.ConfigType.LONG
            && entry.documentation() != null,
        "a setting is altered and described in full", entry);
    Throwable refused = failure(set(admin, "retention.ms", "soon"));
    check(refused instanceof InvalidConfigurationException, "what is no value is refused", refused);
    ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
    config = admin.describeConfigs(List.of(broker)).all().get().get(broker);
    check(config.get("num.partitions").isReadOnly(), "the broker shows its settings", config);
  }

  static void checkRecords(Admin admin, KafkaProducer<String, String> producer,
      KafkaConsumer<String, String> consumer) throws Exception {
    var partitions = IntStream.range(0, 6).mapToObj(i -> new TopicPartition(TOPIC, i)).toList();
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
    int got = 0;
    for (int i = 0; i < 200; i++) {
      producer.send(new ProducerRecord<>(TOPIC, i % 6, null, "value " + i)).get();
      got += consumer.poll(Duration.ofMillis(5)).count();
    }
    for (int i = 0; i < 50 && got < 200; i++) got += consumer.poll(Duration.ofMillis(200)).count();
    check(got == 200, "a consumer with a fetch session misses nothing", got);
    TopicPartition first = partitions.get(0);
    var deleted = admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(10)));
    long start = deleted.lowWatermarks().get(first).get().lowWatermark();
    check(start == 10, "records are deleted up to an offset", start);
    consumer.seek(first, 3);
    var records = ConsumerRecords.<String, String>empty();
    for (int i = 0; i < 50 && records.isEmpty(); i++) {
      records = consumer.poll(Duration.ofMillis(200));
    }
    check(!records.isEmpty() && records.iterator().next().offset() == 10,
        "a consumer below them is set to the new start", records.count());
    set(admin, "cleanup.policy", "compact").get();
    try {
      producer.send(new ProducerRecord<>(TOPIC, 0, null, "keyless")).get();
      check(false, "a record without the key it needs is refused", "");
    } catch (ExecutionException e) {
      check(e.getCause() instanceof InvalidRecordException
              && e.getCause().getMessage().contains("no key"),
          "a record without the key it needs is refused, with the reason", e.getCause());
    }
  }

  public static void main(String[] args) throws Exception {
    Map<String, Object> common = Map.of("bootstrap.servers", args[0]);
    Map<String, Object> producing =
        Map.of("bootstrap.servers", args[0], "enable.idempotence", false);
    Map<String, Object> consuming = Map.of("bootstrap.servers", args[0], "auto.offset.reset",
        "earliest", "enable.auto.commit", false);
    try (Admin admin = Admin.create(common);
        var producer =
            new KafkaProducer<>(producing, new StringSerializer(), new StringSerializer());
        var consumer =
            new KafkaConsumer<>(consuming, new StringDeserializer(), new StringDeserializer())) {
      checkTopics(admin);
      checkConfigs(admin);
      checkRecords(admin, producer, consumer);
    }
  }
}
