// Kafka's own consumers as a group, and its transactional producer, against the server whose
// address is given. Prints a line for each check.

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.UnknownMemberIdException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class Work {
  static String address;

  static void check(boolean good, String what, Object detail) {
    System.out.println((good ? "ok - " : "not ok - ") + what + (good ? "" : "\n    " + detail));
  }

  static KafkaProducer<String, String> producer(Map<String, Object> more) {
    var settings = new HashMap<String, Object>(more);
    settings.put("bootstrap.servers", address);
    return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
  }

  static KafkaConsumer<String, String> consumer(Map<String, Object> more) {
    var settings = new HashMap<String, Object>(more);
    settings.put("bootstrap.servers", address);
    settings.put("auto.offset.reset", "earliest");
    settings.put("enable.auto.commit", false);
    settings.put("heartbeat.interval.ms", 100);
    return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
  }

  static void produce(String topic, int first, int count) {
    try (var producer = producer(Map.of("compression.type", "lz4"))) {
      for (int i = first; i < first + count; i++) {
        producer.send(new ProducerRecord<>(topic, i % 4, null, "" + i));
      }
    }
  }

  /** A member of a group, what it got, and how many partitions it gave up. */
  static class Member implements ConsumerRebalanceListener {
    final KafkaConsumer<String, String> consumer;
    final List<Integer> got = new ArrayList<>();
    int revoked = 0;

    Member(String topic, Map<String, Object> settings) {
      consumer = consumer(settings);
      consumer.subscribe(List.of(topic), this);
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      revoked += partitions.size();
      consumer.commitSync();
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}

    void poll() {
      var records = consumer.poll(Duration.ofMillis(50));
      records.forEach(record -> got.add(Integer.valueOf(record.value())));
    }
  }

  static boolean until(BooleanSupplier condition, Member... members) {
    long end = System.currentTimeMillis() + 30_000;
    while (!condition.getAsBoolean() && System.currentTimeMillis() < end) {
      for (Member member : members) member.poll();
    }
    return condition.getAsBoolean();
  }

  static boolean isRange(List<Integer> numbers, int count) {
    return numbers.stream().sorted().toList().equals(IntStream.range(0, count).boxed().toList());
  }

  static void checkGroup(Admin admin, String assignor, int revoked) throws Exception {
    String topic = assignor;
    admin.createTopics(List.of(new NewTopic(topic, 4, (short) 1))).all().get();
    produce(topic, 0, 400);
    Map<String, Object> settings = Map.of("group.id", topic, "partition.assignment.strategy",
        "org.apache.kafka.clients.consumer." + assignor);
    Member one = new Member(topic, settings);
    check(until(() -> one.got.size() == 400, one), assignor + ": one reads everything",
        one.got.size());
    Member two = new Member(topic, settings);
    boolean shared = until(() -> one.consumer.assignment().size() == 2
        && two.consumer.assignment().size() == 2, one, two);
    check(shared && one.revoked == revoked, assignor + ": it gives up " + revoked + " for another",
        one.revoked);
    produce(topic, 400, 400);
    check(until(() -> one.got.size() + two.got.size() == 800, one, two),
        assignor + ": both read what comes", one.got.size() + two.got.size());
    var described =
        admin.describeConsumerGroups(List.of(topic)).all().get().get(topic);
    check(described.members().size() == 2 && described.state().toString().equals("Stable"),
        assignor + ": they are described", described);
    one.consumer.close();
    produce(topic, 800, 400);
    until(() -> one.got.size() + two.got.size() >= 1200, two);
    var all = new ArrayList<>(one.got);
    all.addAll(two.got);
    check(isRange(all, 1200), assignor + ": one leaves, and nothing is lost or read twice",
        all.size());
    var first = Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(0));
    try {
      admin.alterConsumerGroupOffsets(topic, first).all().get();
      check(false, assignor + ": its offsets are not altered while it has members", "");
    } catch (ExecutionException e) {
      check(e.getCause() instanceof UnknownMemberIdException,
          assignor + ": its offsets are not altered while it has members", e.getCause());
    }
    two.consumer.commitSync();
    two.consumer.close();
    admin.alterConsumerGroupOffsets(topic, first).all().get();
    Member three = new Member(topic, settings);
    check(until(() -> three.got.size() == 300, three), assignor + ": once it is empty, they are",
        three.got.size());
    three.consumer.close();
    admin.deleteConsumerGroups(List.of(topic)).all().get();
    check(admin.listConsumerGroups().all().get().stream().noneMatch(g -> g.groupId().equals(topic)),
        assignor + ": the group is deleted", "");
  }

  static void checkTransactions(Admin admin) throws Exception {
    var topics = List.of(new NewTopic("from", 4, (short) 1), new NewTopic("to", 4, (short) 1));
    admin.createTopics(topics).all().get();
    produce("from", 0, 2000);
    var producer = producer(Map.of("transactional.id", "mover"));
    producer.initTransactions();
    var member = new Member("from", Map.of("group.id", "movers", "max.poll.records", 100));
    int moved = 0;
    for (int turn = 0; moved < 2000 && turn < 200; turn++) {
      var records = member.consumer.poll(Duration.ofMillis(100));
      if (records.isEmpty()) continue;
      producer.beginTransaction();
      var offsets = new HashMap<TopicPartition, OffsetAndMetadata>();
      var starts = new HashMap<TopicPartition, Long>();
      for (var record : records) {
        var partition = new TopicPartition(record.topic(), record.partition());
        producer.send(new ProducerRecord<>("to", record.partition(), null, record.value()));
        offsets.put(partition, new OffsetAndMetadata(record.offset() + 1));
        starts.putIfAbsent(partition, record.offset());
      }
      producer.sendOffsetsToTransaction(offsets, member.consumer.groupMetadata());
      if (turn % 3 == 1) {
        producer.abortTransaction();
        starts.forEach(member.consumer::seek);
      } else {
        producer.commitTransaction();
        moved += records.count();
      }
    }
    var committed = admin.listConsumerGroupOffsets("movers").partitionsToOffsetAndMetadata().get();
    check(committed.values().stream().mapToLong(OffsetAndMetadata::offset).sum() == 2000,
        "a group's offsets move with the transactions", committed);
    member.consumer.close();
    checkOpen(admin, producer);
    var reader = new Member("to", Map.of("group.id", "r", "isolation.level", "read_committed"));
    until(() -> reader.got.size() >= 2000, reader);
    reader.poll();
    check(isRange(reader.got, 2000), "each record was moved exactly once", reader.got.size());
    reader.consumer.close();
  }

  /** Of a transaction that is open: who sees it, and that another producer of its id ends it. */
  static void checkOpen(Admin admin, KafkaProducer<String, String> producer) throws Exception {
    var partition = new TopicPartition("to", 0);
    producer.beginTransaction();
    producer.send(new ProducerRecord<>("to", 0, null, "-1")).get();
    var described = admin.describeTransactions(List.of("mover")).all().get().get("mover");
    check(described.topicPartitions().contains(partition)
            && described.state().toString().equals("Ongoing"),
        "an open transaction is described", described);
    var producers = admin.describeProducers(List.of(partition)).all().get().get(partition);
    check(producers.activeProducers().stream()
              .anyMatch(p -> p.currentTransactionStartOffset().isPresent()),
        "its partition tells of it", producers.activeProducers());
    check(admin.listTransactions().all().get().stream()
              .anyMatch(t -> t.transactionalId().equals("mover")), "it is listed", "");
    long end = admin.listOffsets(Map.of(partition, OffsetSpec.latest())).all().get()
        .get(partition).offset();
    admin.fenceProducers(List.of("mover")).all().get();
    try {
      producer.commitTransaction();
      check(false, "a producer that was fenced cannot commit", "");
    } catch (ProducerFencedException | InvalidProducerEpochException e) {
      check(true, "a producer that was fenced cannot commit", e);
    }
    producer.close(Duration.ZERO);
    check(end > 0, "offsets are listed meanwhile", end);
  }

  public static void main(String[] args) throws Exception {
    address = args[0];
    try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", address))) {
      checkGroup(admin, "RangeAssignor", 4);
      checkGroup(admin, "CooperativeStickyAssignor", 2);
      checkTransactions(admin);
    }
  }
}
