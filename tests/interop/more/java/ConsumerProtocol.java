// Kafka's own consumers with group.protocol=consumer against the server whose address is given: the
// broker hands out the partitions. Prints a line for each check.

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class ConsumerProtocol {
  static final int PARTITIONS = 6;
  static String address;

  static void check(boolean good, String what, Object detail) {
    System.out.println((good ? "ok - " : "not ok - ") + what + (good ? "" : "\n    " + detail));
  }

  static boolean waitFor(BooleanSupplier condition, int seconds) throws InterruptedException {
    for (int i = 0; i < seconds * 20 && !condition.getAsBoolean(); ++i) Thread.sleep(50);
    return condition.getAsBoolean();
  }

  /** A consumer in a thread of its own, which commits what it reads. */
  static class Member implements ConsumerRebalanceListener {
    final Set<TopicPartition> owned = ConcurrentHashMap.newKeySet();
    final Set<Integer> read = ConcurrentHashMap.newKeySet();
    final KafkaConsumer<String, String> consumer;
    final Thread thread = new Thread(this::run);
    volatile boolean stopping = false;
    volatile Throwable failure;

    Member(String group, String instance, String pattern, String assignor) {
      var config = new java.util.HashMap<String, Object>(Map.of(
          "bootstrap.servers", address, "group.id", group, "group.protocol", "consumer",
          "enable.auto.commit", "false", "auto.offset.reset", "earliest"));
      if (instance != null) config.put("group.instance.id", instance);
      if (assignor != null) config.put("group.remote.assignor", assignor);
      consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
      if (pattern == null) {
        consumer.subscribe(List.of("work"), this);
      } else {
        consumer.subscribe(new SubscriptionPattern(pattern), this);
      }
      thread.start();
    }

    void run() {
      try {
        while (!stopping) {
          for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(50))) {
            read.add(Integer.parseInt(r.value()));
          }
          try {
            consumer.commitSync();
          } catch (org.apache.kafka.clients.consumer.CommitFailedException e) {
            // Not ours any more: whoever has it now reads it again.
          }
        }
        consumer.close();
      } catch (Throwable e) {
        failure = e;
      }
    }

    void stop() throws InterruptedException {
      stopping = true;
      thread.join(30_000);
      owned.clear();
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      owned.addAll(partitions);
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      owned.removeAll(partitions);
    }
  }

  static boolean isShared(List<Member> members) {
    Set<TopicPartition> all = new HashSet<>();
    int count = 0;
    int most = 0;
    int least = PARTITIONS;
    for (Member member : members) {
      all.addAll(member.owned);
      int owned = member.owned.size();
      count += owned;
      most = Math.max(most, owned);
      least = Math.min(least, owned);
    }
    return count == PARTITIONS && all.size() == PARTITIONS && most - least <= 1;
  }

  static String shape(List<Member> members) {
    StringBuilder text = new StringBuilder();
    for (Member member : members) text.append(member.owned).append(member.failure).append(' ');
    return text.toString();
  }

  static Set<Integer> read(List<Member> members) {
    Set<Integer> all = new TreeSet<>();
    for (Member member : members) all.addAll(member.read);
    return all;
  }

  static void produce(int first, int count) {
    try (var producer = new KafkaProducer<>(Map.<String, Object>of("bootstrap.servers", address),
        new StringSerializer(), new StringSerializer())) {
      for (int i = first; i < first + count; ++i) {
        producer.send(new ProducerRecord<>("work", i % PARTITIONS, "", "" + i));
      }
    }
  }

  static void checkMembers(Admin admin) throws Exception {
    produce(0, 60);
    List<Member> members = new ArrayList<>();
    members.add(new Member("team", null, null, null));
    check(waitFor(() -> isShared(members), 30), "a first member gets all", shape(members));
    members.add(new Member("team", null, null, null));
    members.add(new Member("team", null, null, null));
    check(waitFor(() -> isShared(members), 60), "three members share evenly", shape(members));
    check(waitFor(() -> read(members).size() == 60, 30), "they read everything", read(members));
    ConsumerGroupDescription group =
        admin.describeConsumerGroups(List.of("team")).all().get().get("team");
    check(group.groupState() == GroupState.STABLE && group.type() == GroupType.CONSUMER
        && group.members().size() == 3 && group.partitionAssignor().equals("uniform"),
        "the group is described as stable, with three members", group);
    var listed = admin.listGroups().all().get();
    check(listed.size() == 1 && listed.iterator().next().type().equals(
        java.util.Optional.of(GroupType.CONSUMER)), "it is listed", listed);
    members.remove(2).stop();
    check(waitFor(() -> isShared(members), 60), "one leaves, and two share", shape(members));
    produce(60, 60);
    check(waitFor(() -> read(members).containsAll(new TreeSet<>(List.of(60, 119))), 30),
        "they read on", read(members));
    for (Member member : members) member.stop();
    for (Member member : members) check(member.failure == null, "nobody failed", member.failure);
    group = admin.describeConsumerGroups(List.of("team")).all().get().get("team");
    check(group.groupState() == GroupState.EMPTY, "the group is empty then", group);
  }

  static void checkOthers(Admin admin) throws Exception {
    List<Member> range = List.of(new Member("range", "one", null, "range"),
        new Member("range", "two", null, "range"));
    check(waitFor(() -> isShared(range), 60), "static members share by ranges", shape(range));
    Set<Integer> first = new TreeSet<>();
    for (TopicPartition partition : range.get(0).owned) first.add(partition.partition());
    check(first.equals(Set.of(0, 1, 2)), "the first instance has the first range", first);
    for (Member member : range) member.stop();
    List<Member> pattern = List.of(new Member("pattern", null, "wor.", null));
    check(waitFor(() -> isShared(pattern), 30), "a pattern is subscribed to", shape(pattern));
    pattern.get(0).stop();
    Member wrong = new Member("pattern", null, "wor(", null);
    check(waitFor(() -> wrong.failure != null, 30) && wrong.failure instanceof
        org.apache.kafka.common.errors.InvalidRegularExpression, "a bad one is refused",
        wrong.failure);
    admin.deleteConsumerGroups(List.of("team")).all().get();
    check(admin.listGroups().all().get().stream().noneMatch(g -> g.groupId().equals("team")),
        "the empty group is deleted", "");
  }

  public static void main(String[] args) throws Exception {
    address = args[0];
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", address))) {
      admin.createTopics(List.of(new NewTopic("work", PARTITIONS, (short) 1))).all().get();
      checkMembers(admin);
      checkOthers(admin);
    }
  }
}
