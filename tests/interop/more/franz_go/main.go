// franz-go against the server whose address is given: admin, every codec, groups that rebalance
// eagerly and cooperatively, transactions. Prints a line for each check.
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var address string
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

func client(options ...kgo.Opt) *kgo.Client {
	made, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(address)}, options...)...)
	if err != nil {
		panic(err)
	}
	return made
}

func within(seconds int) context.Context {
	ctx, _ := context.WithTimeout(context.Background(), time.Duration(seconds)*time.Second)
	return ctx
}

func text(value string) *string { return &value }

// produce sends the numbers [first, first+count), spread over the partitions by turns.
func produce(topic string, partitions, first, count int, options ...kgo.Opt) error {
	options = append(options, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	producer := client(options...)
	defer producer.Close()
	var records []*kgo.Record
	for i := first; i < first+count; i++ {
		records = append(records, &kgo.Record{Topic: topic, Value: []byte(strconv.Itoa(i)),
			Partition: int32(i % partitions), Timestamp: time.UnixMilli(1600000000000 + int64(i))})
	}
	return producer.ProduceSync(within(30), records...).FirstErr()
}

func number(record *kgo.Record) int {
	value, _ := strconv.Atoi(string(record.Value))
	return value
}

// read takes `count` numbers, or what there is of them until nothing comes any more.
func read(topic string, count int, options ...kgo.Opt) []int {
	consumer := client(append(options, kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	defer consumer.Close()
	var got []int
	for len(got) < count {
		fetches := consumer.PollFetches(within(5))
		if fetches.NumRecords() == 0 {
			break
		}
		fetches.EachRecord(func(record *kgo.Record) { got = append(got, number(record)) })
	}
	sort.Ints(got)
	return got
}

// isRange tells whether the numbers are those of [0, count), each once.
func isRange(numbers []int, count int) bool {
	sort.Ints(numbers)
	for i, value := range numbers {
		if i != value {
			return false
		}
	}
	return len(numbers) == count
}

func checkAdmin(admin *kadm.Client) {
	ctx := within(60)
	_, err := admin.CreateTopic(ctx, 2, 3, map[string]*string{"retention.ms": text("60000")}, "admin")
	check(err == nil, "a topic is created", err)
	_, err = admin.CreateTopic(ctx, 1, 1, nil, "admin")
	check(err == kerr.TopicAlreadyExists, "and not a second time", err)
	grown, err := admin.UpdatePartitions(ctx, 4, "admin")
	check(err == nil && grown.Error() == nil, "it grows", err, grown)
	topics, err := admin.ListTopics(ctx, "admin")
	check(err == nil && len(topics["admin"].Partitions) == 4 && topics["admin"].ID != kadm.TopicID{},
		"it is listed, with an id", err, topics)
	altered, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{
		{Op: kadm.SetConfig, Name: "retention.bytes", Value: text("1000000")},
		{Op: kadm.DeleteConfig, Name: "retention.ms"}}, "admin")
	check(err == nil && altered[0].Err == nil, "its settings are altered", err, altered)
	configs, err := admin.DescribeTopicConfigs(ctx, "admin")
	values := map[string]string{}
	for _, config := range configs[0].Configs {
		values[config.Key] = config.MaybeValue()
	}
	check(err == nil && values["retention.bytes"] == "1000000" && values["retention.ms"] == "604800000",
		"and described", err, values)

	err = produce("admin", 4, 0, 400)
	check(err == nil, "an idempotent producer produces", err)
	ends, err := admin.ListEndOffsets(ctx, "admin")
	end, _ := ends.Lookup("admin", 3)
	check(err == nil && end.Offset == 100, "ends are listed", err, ends)
	times, err := admin.ListOffsetsAfterMilli(ctx, 1600000000200, "admin")
	at, _ := times.Lookup("admin", 0)
	check(err == nil && at.Offset == 50, "and offsets by time", err, at)
	newest, err := admin.ListMaxTimestampOffsets(ctx, "admin")
	at, _ = newest.Lookup("admin", 0)
	check(err == nil && at.Offset == 99, "and of the newest record", err, at)
	var offsets kadm.Offsets
	offsets.AddOffset("admin", 1, 30, -1)
	deleted, err := admin.DeleteRecords(ctx, offsets)
	response, _ := deleted.Lookup("admin", 1)
	check(err == nil && response.Err == nil && response.LowWatermark == 30, "records are deleted", err)
	directories, err := admin.DescribeAllLogDirs(ctx, nil)
	size := int64(0)
	directories.Each(func(directory kadm.DescribedLogDir) { size += directory.Size() })
	check(err == nil && size > 0, "the data directory is described", err)
	metadata, err := admin.BrokerMetadata(ctx)
	check(err == nil && len(metadata.Brokers) == 1, "there is one broker", err, metadata)
	check(len(read("admin", 370)) == 370, "a consumer of topics reads what is left")
}

func checkCodecs() {
	codecs := map[string]kgo.CompressionCodec{"gzip": kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}
	for name, codec := range codecs {
		topic := "codec-" + name
		err := produce(topic, 1, 0, 2000, kgo.ProducerBatchCompression(codec),
			kgo.AllowAutoTopicCreation())
		check(err == nil && isRange(read(topic, 2000), 2000), name+": produced and read", err)
	}
}

type member struct {
	client *kgo.Client
	got    []int
}

// poll takes what there is and commits it.
func (m *member) poll() {
	fetches := m.client.PollRecords(within(1), 1000)
	fetches.EachRecord(func(record *kgo.Record) { m.got = append(m.got, number(record)) })
	if fetches.NumRecords() > 0 {
		m.client.CommitUncommittedOffsets(context.Background())
	}
}

func checkGroups(admin *kadm.Client, name string, balancer kgo.GroupBalancer) {
	topic, ctx := name, within(60)
	admin.CreateTopic(ctx, 4, 1, nil, topic)
	join := func() *member {
		return &member{client: client(kgo.ConsumerGroup(name), kgo.ConsumeTopics(topic),
			kgo.Balancers(balancer), kgo.DisableAutoCommit(), kgo.HeartbeatInterval(200*time.Millisecond),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))}
	}
	members := func() int {
		groups, err := admin.DescribeGroups(ctx, name)
		if err != nil || groups[name].State != "Stable" {
			return 0
		}
		return len(groups[name].Members)
	}
	first := join()
	produce(topic, 4, 0, 400)
	for len(first.got) < 400 && ctx.Err() == nil {
		first.poll()
	}
	second := join()
	for members() != 2 && ctx.Err() == nil {
		first.poll()
		second.poll()
	}
	check(members() == 2, name+": two members share a topic", first, second)
	produce(topic, 4, 400, 400)
	for len(first.got)+len(second.got) < 800 && ctx.Err() == nil {
		first.poll()
		second.poll()
	}
	check(len(second.got) == 200, name+": each reads its half of what comes", len(second.got))
	first.client.Close()
	produce(topic, 4, 800, 400)
	for len(first.got)+len(second.got) < 1200 && ctx.Err() == nil {
		second.poll()
	}
	second.poll()
	all := append(append([]int{}, first.got...), second.got...)
	check(isRange(all, 1200), name+": the one that stays reads on, and nothing was read twice", len(all))

	lags, err := admin.Lag(ctx, name)
	lag := lags[name]
	check(err == nil && lag.Error() == nil && lag.Lag.Total() == 0 && len(lag.Members) == 1,
		name+": it has no lag", err, lag)
	var offsets kadm.Offsets
	offsets.AddOffset(topic, 0, 0, -1)
	refused, err := admin.CommitOffsets(ctx, name, offsets)
	check(err != nil || refused.Error() != nil, name+": nobody else commits for it", refused)
	second.client.Close()
	committed, err := admin.CommitOffsets(ctx, name, offsets)
	check(err == nil && committed.Error() == nil, name+": when it is empty its offsets are set", err)
	third := join()
	for len(third.got) < 300 && ctx.Err() == nil {
		third.poll()
	}
	check(len(third.got) == 300, name+": and it reads again from there", len(third.got))
	third.client.Close()
	deleted, err := admin.DeleteGroups(ctx, name)
	check(err == nil && deleted[name].Err == nil, name+": the group is deleted", err, deleted)
}

func checkTransactions(admin *kadm.Client) {
	ctx := within(60)
	admin.CreateTopics(ctx, 2, 1, nil, "moved", "movable")
	produce("movable", 2, 0, 1000)
	start := func() *kgo.GroupTransactSession {
		session, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(address),
			kgo.TransactionalID("mover"), kgo.ConsumerGroup("movers"), kgo.ConsumeTopics("movable"),
			kgo.DefaultProduceTopic("moved"), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.RequireStableFetchOffsets(),
			kgo.RecordPartitioner(kgo.ManualPartitioner()))
		check(err == nil, "a session of transactions in a group begins", err)
		return session
	}
	move := func(session *kgo.GroupTransactSession, try kgo.TransactionEndTry) (int, bool) {
		records := session.PollRecords(within(5), 100).Records()
		if err := session.Begin(); err != nil {
			check(false, "a transaction begins", err)
			return 0, false
		}
		for _, record := range records {
			session.Produce(ctx, &kgo.Record{Value: record.Value, Partition: record.Partition}, nil)
		}
		committed, err := session.End(within(20), try)
		if err != nil {
			check(false, "a transaction ends", err)
		}
		return len(records), committed
	}
	session := start()
	count, committed := move(session, kgo.TryAbort)
	check(count > 0 && !committed, "a transaction is aborted", count)
	for moved := 0; moved < 500 && ctx.Err() == nil; {
		if count, committed = move(session, kgo.TryCommit); committed {
			moved += count
		}
	}
	session.Begin()
	session.ProduceSync(ctx, &kgo.Record{Value: []byte("-1")})
	listed, err := admin.ListTransactions(ctx, nil, nil)
	check(err == nil && listed["mover"].State == "Ongoing", "it is listed while it is open", err, listed)
	described, err := admin.DescribeTransactions(ctx, "mover")
	check(err == nil && len(described["mover"].Topics["moved"]) == 1, "and described", err, described)
	producers, err := admin.DescribeProducers(ctx, kadm.TopicsSet{"moved": {0: {}}})
	open := 0
	producers.EachProducer(func(producer kadm.DescribedProducer) {
		if producer.CurrentTxnStartOffset >= 0 {
			open++
		}
	})
	check(err == nil && open == 1, "the partition tells who has it open", err, producers)
	// It goes away with its transaction open; the next one of its id aborts that.
	session.Close()
	session = start()
	for ctx.Err() == nil {
		lags, err := admin.Lag(ctx, "movers")
		if group := lags["movers"]; err == nil && group.Error() == nil && group.Lag.Total() == 0 &&
			len(group.Lag["movable"]) == 2 {
			break
		}
		move(session, kgo.TryCommit)
	}
	session.Close()
	got := read("moved", 1000, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	check(isRange(got, 1000), "each record was moved exactly once", len(got))
}

func main() {
	address = os.Args[1]
	admin := kadm.NewClient(client())
	checkAdmin(admin)
	checkCodecs()
	checkGroups(admin, "cooperative", kgo.CooperativeStickyBalancer())
	checkGroups(admin, "eager", kgo.RangeBalancer())
	checkTransactions(admin)
	removed, err := admin.DeleteTopics(within(10), "admin", "moved")
	check(err == nil && removed.Error() == nil, "topics are deleted", err)
	if failed {
		os.Exit(1)
	}
}
