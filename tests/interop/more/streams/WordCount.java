// Kafka Streams counts words, exactly once: a repartitioned topic, a store with a changelog, and a
// windowed count beside it. Arguments: address, application id, state directory. It runs until it
// is told to stop, and prints its states.

import java.time.Duration;
import java.util.Arrays;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;

public class WordCount {
  static void build(StreamsBuilder builder) {
    var words = builder.<String, String>stream("lines")
        .flatMapValues(line -> Arrays.asList(line.split(" ")))
        .groupBy((key, word) -> word, Grouped.with(Serdes.String(), Serdes.String()));
    words.count().toStream().mapValues(String::valueOf).to("counts",
        Produced.with(Serdes.String(), Serdes.String()));
    words.windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMinutes(1)))
        .count()
        .toStream((word, count) -> word.key() + "@" + word.window().start())
        .mapValues(String::valueOf)
        .to("windows", Produced.with(Serdes.String(), Serdes.String()));
  }

  public static void main(String[] args) throws Exception {
    var settings = new Properties();
    settings.put("bootstrap.servers", args[0]);
    settings.put("application.id", args[1]);
    settings.put("state.dir", args[2]);
    settings.put("processing.guarantee", "exactly_once_v2");
    settings.put("commit.interval.ms", "200");
    settings.put("repartition.purge.interval.ms", "500");
    settings.put("num.stream.threads", "2");
    settings.put("default.key.serde", Serdes.StringSerde.class);
    settings.put("default.value.serde", Serdes.StringSerde.class);
    settings.put("consumer.auto.offset.reset", "earliest");
    settings.put("consumer.session.timeout.ms", "6000");
    settings.put("consumer.heartbeat.interval.ms", "500");
    settings.put("producer.transaction.timeout.ms", "8000");
    var builder = new StreamsBuilder();
    build(builder);
    var streams = new KafkaStreams(builder.build(settings), settings);
    var stopped = new CountDownLatch(1);
    streams.setStateListener((now, before) -> System.out.println("state " + now));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      streams.close(Duration.ofSeconds(20));
      stopped.countDown();
    }));
    streams.start();
    stopped.await();
  }
}
