// Sarama against the server whose address is given, as a client of several versions of Kafka, which
// is how it chooses those of its requests. Prints a line for each check.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

var address []string
var failed bool

func check(good bool, what string, detail ...any) {
	if good {
		fmt.Println("ok - " + what)
		return
	}
	failed = true
	fmt.Println("not ok - " + what)
	fmt.Println("   ", fmt.Sprint(detail...))
}

func config(version sarama.KafkaVersion) *sarama.Config {
	made := sarama.NewConfig()
	made.Version = version
	made.Producer.Return.Successes = true
	made.Producer.Partitioner = sarama.NewManualPartitioner
	made.Producer.RequiredAcks = sarama.WaitForAll
	made.Consumer.Offsets.Initial = sarama.OffsetOldest
	made.Consumer.Group.Heartbeat.Interval = 200 * time.Millisecond
	return made
}

func wait(condition func() bool) bool {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if condition() {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return condition()
}

func produce(config *sarama.Config, topic string, partitions, first, count int) error {
	producer, err := sarama.NewSyncProducer(address, config)
	if err != nil {
		return err
	}
	defer producer.Close()
	return producer.SendMessages(messages(topic, partitions, first, count))
}

func messages(topic string, partitions, first, count int) (made []*sarama.ProducerMessage) {
	for i := first; i < first+count; i++ {
		made = append(made, &sarama.ProducerMessage{Topic: topic, Partition: int32(i % partitions),
			Value: sarama.StringEncoder(strconv.Itoa(i)), Timestamp: time.UnixMilli(1600000000000 + int64(i))})
	}
	return made
}

// read takes numbers of partition 0 until there are `count`, or none comes for a while.
func read(config *sarama.Config, topic string, count int) (got []int) {
	consumer, err := sarama.NewConsumer(address, config)
	if err != nil {
		return nil
	}
	defer consumer.Close()
	partition, err := consumer.ConsumePartition(topic, 0, sarama.OffsetOldest)
	if err != nil {
		return nil
	}
	defer partition.Close()
	for len(got) < count {
		select {
		case message := <-partition.Messages():
			got = append(got, number(message))
		case <-time.After(2 * time.Second):
			return got
		}
	}
	return got
}

func number(message *sarama.ConsumerMessage) int {
	value, _ := strconv.Atoi(string(message.Value))
	return value
}

func isRange(numbers []int, count int) bool {
	sort.Ints(numbers)
	for i, value := range numbers {
		if i != value {
			return false
		}
	}
	return len(numbers) == count
}

func checkAdmin(version sarama.KafkaVersion, topic string) {
	admin, err := sarama.NewClusterAdmin(address, config(version))
	if err != nil {
		check(false, topic+": the admin client connects", err)
		return
	}
	defer admin.Close()
	retention := "60000"
	detail := &sarama.TopicDetail{NumPartitions: 2, ReplicationFactor: 1,
		ConfigEntries: map[string]*string{"retention.ms": &retention}}
	err = admin.CreateTopic(topic, detail, false)
	again := admin.CreateTopic(topic, detail, false)
	check(err == nil && errors.Is(again, sarama.ErrTopicAlreadyExists), topic+": is made, once", err, again)
	err = admin.CreatePartitions(topic, 4, nil, false)
	topics, listed := admin.ListTopics()
	check(err == nil && listed == nil && topics[topic].NumPartitions == 4, topic+": grows", err, listed)
	entries, err := admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic,
		ConfigNames: []string{"retention.ms"}})
	check(err == nil && len(entries) == 1 && entries[0].Value == retention, topic+": is described", err, entries)
	policy := "compact"
	err = admin.AlterConfig(sarama.TopicResource, topic, map[string]*string{"cleanup.policy": &policy}, false)
	entries, _ = admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic,
		ConfigNames: []string{"cleanup.policy", "retention.ms"}})
	values := map[string]string{}
	for _, entry := range entries {
		values[entry.Name] = entry.Value
	}
	check(err == nil && values["cleanup.policy"] == "compact" && values["retention.ms"] == "604800000",
		topic+": its settings are replaced as a whole", err, values)
	policy = "delete"
	admin.AlterConfig(sarama.TopicResource, topic, map[string]*string{"cleanup.policy": &policy}, false)

	err = produce(config(version), topic, 4, 0, 400)
	check(err == nil, topic+": is produced to", err)
	err = admin.DeleteRecords(topic, map[int32]int64{1: 30})
	client, _ := sarama.NewClient(address, config(version))
	defer client.Close()
	start, _ := client.GetOffset(topic, 1, sarama.OffsetOldest)
	end, _ := client.GetOffset(topic, 1, sarama.OffsetNewest)
	at, _ := client.GetOffset(topic, 1, 1600000000200)
	check(err == nil && start == 30 && end == 100 && at == 50, topic+": records are deleted, offsets are found",
		err, start, end, at)
	directories, err := admin.DescribeLogDirs([]int32{1})
	check(err == nil && len(directories[1]) == 1, topic+": the data directory is described", err)
	brokers, controller, err := admin.DescribeCluster()
	check(err == nil && len(brokers) == 1 && controller == 1, topic+": the cluster is described", err)
	if version.IsAtLeast(sarama.V2_4_0_0) {
		moving, err := admin.ListPartitionReassignments(topic, []int32{0})
		check(err == nil && len(moving) == 0, topic+": no partition is being moved", err)
	}
}

func checkCodecs(version sarama.KafkaVersion, name string) {
	codecs := []sarama.CompressionCodec{sarama.CompressionNone, sarama.CompressionGZIP,
		sarama.CompressionSnappy, sarama.CompressionLZ4}
	if version.IsAtLeast(sarama.V2_1_0_0) {
		codecs = append(codecs, sarama.CompressionZSTD)
	}
	for _, codec := range codecs {
		producing := config(version)
		producing.Producer.Compression = codec
		topic := name + "-" + codec.String()
		err := produce(producing, topic, 1, 0, 2000)
		got := read(config(version), topic, 2000)
		check(err == nil && isRange(got, 2000), topic+": produced and read", err, len(got))
	}
}

// member is a consumer of a group; it has a lock, since Sarama calls it from a thread for each claim.
type member struct {
	sync.Mutex
	group    sarama.ConsumerGroup
	got      []int
	assigned int // claims that are being consumed; a session outlives cooperative rebalances
	stop     context.CancelFunc
	done     chan struct{}
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error { return nil }

func (m *member) Cleanup(session sarama.ConsumerGroupSession) error {
	session.Commit()
	return nil
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	m.change(1)
	defer m.change(-1)
	for message := range claim.Messages() {
		m.Lock()
		m.got = append(m.got, number(message))
		m.Unlock()
		session.MarkMessage(message, "")
	}
	return nil
}

func (m *member) change(by int) {
	m.Lock()
	defer m.Unlock()
	m.assigned += by
}

func (m *member) count() int {
	m.Lock()
	defer m.Unlock()
	return len(m.got)
}

func (m *member) has(partitions int) bool {
	m.Lock()
	defer m.Unlock()
	return m.assigned == partitions
}

func join(config *sarama.Config, group, topic string) *member {
	made, err := sarama.NewConsumerGroup(address, group, config)
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	joined := &member{group: made, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(joined.done)
		for ctx.Err() == nil {
			made.Consume(ctx, []string{topic}, joined)
		}
	}()
	return joined
}

func (m *member) leave() {
	m.stop()
	<-m.done
	m.group.Close()
}

func checkGroup(version sarama.KafkaVersion, name string, strategy sarama.BalanceStrategy) {
	joining := config(version)
	joining.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategy}
	admin, _ := sarama.NewClusterAdmin(address, config(version))
	defer admin.Close()
	admin.CreateTopic(name, &sarama.TopicDetail{NumPartitions: 4, ReplicationFactor: 1}, false)
	produce(config(version), name, 4, 0, 400)
	first := join(joining, name, name)
	check(wait(func() bool { return first.count() == 400 }), name+": one member reads everything")
	second := join(joining, name, name)
	check(wait(func() bool { return first.has(2) && second.has(2) }), name+": two share the partitions",
		first.assigned, second.assigned)
	described, err := admin.DescribeConsumerGroups([]string{name})
	check(err == nil && described[0].State == "Stable" && len(described[0].Members) == 2,
		name+": they are described", err, described)
	produce(config(version), name, 4, 400, 400)
	check(wait(func() bool { return first.count()+second.count() == 800 }), name+": both read what comes")
	first.leave()
	check(wait(func() bool { return second.has(4) }), name+": one leaves, the other has all", second.assigned)
	produce(config(version), name, 4, 800, 400)
	wait(func() bool { return first.count()+second.count() >= 1200 })
	check(isRange(append(first.got, second.got...), 1200), name+": nothing was lost or read twice",
		len(first.got)+len(second.got))
	refused := admin.DeleteConsumerGroup(name)
	second.leave()
	offsets, err := admin.ListConsumerGroupOffsets(name, map[string][]int32{name: {0, 1, 2, 3}})
	sum := int64(0)
	for partition := int32(0); err == nil && partition < 4; partition++ {
		sum += offsets.GetBlock(name, partition).Offset
	}
	check(err == nil && sum == 1200, name+": what they read is committed", err, sum)
	if !version.IsAtLeast(sarama.V1_1_0_0) {
		return
	}
	err = admin.DeleteConsumerGroup(name)
	check(errors.Is(refused, sarama.ErrNonEmptyGroup) && err == nil,
		name+": the group is deleted when it is empty", refused, err)
}

func checkTransactions(version sarama.KafkaVersion, name string) {
	producing := config(version)
	producing.Producer.Idempotent = true
	producing.Producer.Transaction.ID = name
	producing.Net.MaxOpenRequests = 1
	producer, err := sarama.NewSyncProducer(address, producing)
	if err != nil {
		check(false, name+": a transactional producer begins", err)
		return
	}
	defer producer.Close()
	kept := 0
	for i := 0; i < 9 && err == nil; i++ {
		if err = producer.BeginTxn(); err != nil {
			break
		}
		first := kept
		if i%3 == 2 {
			first = 5000
		}
		if err = producer.SendMessages(messages(name, 1, first, 100)); err != nil {
			break
		}
		offset := []*sarama.PartitionOffsetMetadata{{Partition: 0, Offset: int64(first)}}
		if err = producer.AddOffsetsToTxn(map[string][]*sarama.PartitionOffsetMetadata{name: offset}, name); err != nil {
			break
		}
		if i%3 == 2 {
			err = producer.AbortTxn()
		} else {
			err = producer.CommitTxn()
			kept += 100
		}
	}
	reading := config(version)
	reading.Consumer.IsolationLevel = sarama.ReadCommitted
	got := read(reading, name, 700)
	check(err == nil && isRange(got, 600), name+": what is committed is read, and nothing else", err, len(got))
	check(len(read(config(version), name, 900)) == 900, name+": who asks for it reads all")
	admin, _ := sarama.NewClusterAdmin(address, config(version))
	defer admin.Close()
	offsets, err := admin.ListConsumerGroupOffsets(name, map[string][]int32{name: {0}})
	check(err == nil && offsets.GetBlock(name, 0).Offset == 500, name+": offsets are those of the commits", err)
}

func main() {
	address = []string{os.Args[1]}
	for _, version := range []sarama.KafkaVersion{sarama.V1_0_0_0, sarama.V2_1_0_0, sarama.V2_8_0_0,
		sarama.MaxVersion} {
		name := "as-" + version.String()
		checkAdmin(version, name)
		checkCodecs(version, name)
		checkGroup(version, name+"-range", sarama.NewBalanceStrategyRange())
		checkTransactions(version, name+"-transactions")
	}
	checkGroup(sarama.MaxVersion, "sticky", sarama.NewBalanceStrategySticky())
	checkGroup(sarama.MaxVersion, "cooperative", sarama.NewBalanceStrategyCooperativeSticky())
	if failed {
		os.Exit(1)
	}
}
