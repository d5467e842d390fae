// Kafka's transactional producer with transaction.version 2 (KIP-890) against the server whose address
// is given. Prints a line for each check. `move` moves records in transactions, while somebody else
// kills and starts the server; without it, what can be checked while nobody does.

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class Epochs {
  static final int MOVED = 3000;
  static String address;

  static void check(boolean good, String what, Object detail) {
    System.out.println((good ? "ok - " : "not ok - ") + what + (good ? "" : "\n    " + detail));
  }

  static KafkaProducer<String, String> producer(String id) {
    var settings = new HashMap<String, Object>();
    settings.put("bootstrap.servers", address);
    settings.put("reconnect.backoff.max.ms", 200);
    if (id != null) settings.put("transactional.id", id);
    return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
  }

  static KafkaConsumer<String, String> consumer(String group) {
    var settings = new HashMap<String, Object>();
    settings.put("bootstrap.servers", address);
    settings.put("group.id", group);
    settings.put("auto.offset.reset", "earliest");
    settings.put("enable.auto.commit", false);
    settings.put("isolation.level", "read_committed");
    settings.put("max.poll.records", 50);
    settings.put("reconnect.backoff.max.ms", 200);
    return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
  }

  static List<TopicPartition> partitions(String topic) {
    return IntStream.range(0, 4).mapToObj(p -> new TopicPartition(topic, p)).toList();
  }

  /** All values of a topic that are committed. */
  static List<String> read(String topic) {
    var values = new ArrayList<String>();
    try (var reader = consumer("reader-" + topic)) {
      reader.assign(partitions(topic));
      reader.seekToBeginning(reader.assignment());
      var ends = reader.endOffsets(reader.assignment());
      while (ends.entrySet().stream().anyMatch(e -> reader.position(e.getKey()) < e.getValue())) {
        reader.poll(Duration.ofMillis(200)).forEach(record -> values.add(record.value()));
      }
    }
    return values;
  }

  static void create(Admin admin, String... topics) throws Exception {
    for (String topic : topics) {
      admin.createTopics(List.of(new NewTopic(topic, 4, (short) 1))).all().get();
    }
  }

  static void checkFeature(Admin admin) throws Exception {
    var metadata = admin.describeFeatures().featureMetadata().get();
    var finalized = metadata.finalizedFeatures().get("transaction.version");
    check(finalized != null && finalized.maxVersionLevel() == 2,
        "transaction.version 2 is finalized", metadata);
    var supported = metadata.supportedFeatures().get("transaction.version");
    check(supported != null && supported.minVersion() == 0 && supported.maxVersion() == 2,
        "transaction.version 0 to 2 are supported", metadata);
  }

  static long epoch(Admin admin, String id) throws Exception {
    return admin.describeTransactions(List.of(id)).all().get().get(id).producerEpoch();
  }

  static void checkEpochs(Admin admin) throws Exception {
    create(admin, "plain");
    var expected = new ArrayList<String>();
    try (var producer = producer("plain")) {
      producer.initTransactions();
      long before = epoch(admin, "plain");
      for (int i = 0; i < 30; i++) {
        producer.beginTransaction();
        for (int p = 0; p < 4; p++) {
          producer.send(new ProducerRecord<>("plain", p, null, i + "-" + p));
        }
        if (i % 3 == 2) {
          if (i % 2 == 0) producer.flush();
          producer.abortTransaction();
        } else {
          producer.commitTransaction();
          for (int p = 0; p < 4; p++) expected.add(i + "-" + p);
        }
      }
      // One whose abort leaves out what was not sent does not ask for an end.
      long raised = epoch(admin, "plain") - before;
      check(raised >= 25 && raised <= 30, "each end raises the epoch", raised);
      checkFenced(producer);
    }
    var got = read("plain");
    got.sort(null);
    expected.sort(null);
    check(got.equals(expected), "what was committed is read, and nothing that was aborted", got);
  }

  static void checkFenced(KafkaProducer<String, String> first) {
    first.beginTransaction();
    first.send(new ProducerRecord<>("plain", 0, null, "fenced"));
    first.flush();
    try (var second = producer("plain")) {
      second.initTransactions();
      try {
        first.commitTransaction();
        check(false, "a producer whose id another one has taken is fenced", "");
      } catch (ProducerFencedException | InvalidProducerEpochException e) {
        check(true, "a producer whose id another one has taken is fenced", e);
      }
      second.beginTransaction();
      second.abortTransaction();
    }
  }

  /** One transaction: what was polled, and how far that is. */
  static boolean moveOnce(KafkaProducer<String, String> producer,
      KafkaConsumer<String, String> consumer, int turn) {
    var records = consumer.poll(Duration.ofMillis(200));
    if (records.isEmpty()) return false;
    producer.beginTransaction();
    var offsets = new HashMap<TopicPartition, OffsetAndMetadata>();
    for (var record : records) {
      producer.send(new ProducerRecord<>("to", record.partition(), null, record.value()));
      offsets.put(new TopicPartition(record.topic(), record.partition()),
          new OffsetAndMetadata(record.offset() + 1));
    }
    producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
    if (turn % 4 == 3) throw new KafkaException("this one is to be aborted");
    producer.commitTransaction();
    return true;
  }

  static void rewind(KafkaConsumer<String, String> consumer) {
    var partitions = consumer.assignment();
    var committed = consumer.committed(partitions);
    for (var partition : partitions) {
      var offset = committed.get(partition);
      consumer.seek(partition, offset == null ? 0 : offset.offset());
    }
  }

  static boolean isAborted(KafkaProducer<String, String> producer) {
    try {
      producer.abortTransaction();
      return true;
    } catch (KafkaException | IllegalStateException e) {
      System.err.println("a producer is given up: " + e);
      return false;
    }
  }

  static void move(Admin admin) throws Exception {
    create(admin, "from", "to");
    try (var filler = producer(null)) {
      for (int i = 0; i < MOVED; i++) {
        filler.send(new ProducerRecord<>("from", i % 4, null, "" + i));
      }
    }
    System.err.println("moving");
    long end = System.currentTimeMillis() + 120_000;
    int transactions = 0;
    int producers = 1;
    var producer = producer("mover");
    try (var consumer = consumer("movers")) {
      consumer.assign(partitions("from"));
      producer.initTransactions();
      for (int idle = 0; idle < 10 && System.currentTimeMillis() < end; transactions++) {
        try {
          idle = moveOnce(producer, consumer, transactions) ? 0 : idle + 1;
          Thread.sleep(20);
        } catch (KafkaException e) {
          if (!isAborted(producer)) {
            producer.close(Duration.ZERO);
            producer = producer("mover");
            producer.initTransactions();
            producers++;
          }
          rewind(consumer);
        }
      }
    }
    System.err.println("moved");
    producer.close();
    var got = read("to").stream().map(Integer::valueOf).sorted().toList();
    check(got.equals(IntStream.range(0, MOVED).boxed().toList()),
        "each record was moved exactly once", got.size());
    var committed = admin.listConsumerGroupOffsets("movers").partitionsToOffsetAndMetadata().get();
    check(committed.values().stream().mapToLong(OffsetAndMetadata::offset).sum() == MOVED,
        "a group's offsets move with the transactions", committed);
    check(producers == 1, "one producer went on through it all", producers);
  }

  public static void main(String[] args) throws Exception {
    address = args[0];
    try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", address))) {
      if (args.length > 1) {
        move(admin);
      } else {
        checkFeature(admin);
        checkEpochs(admin);
      }
    }
  }
}
