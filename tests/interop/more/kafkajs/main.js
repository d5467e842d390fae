// KafkaJS against the server whose address is given. Prints a line for each check.
const { Kafka, logLevel, PartitionAssigners, ConfigResourceTypes } = require('kafkajs')

const kafka = new Kafka({ clientId: 'js', brokers: [process.argv[2]], logLevel: logLevel.NOTHING })
let failed = false

function check(good, what, detail) {
  console.log((good ? 'ok - ' : 'not ok - ') + what)
  if (!good) {
    failed = true
    console.log('    ' + JSON.stringify(detail))
  }
}

async function wait(condition) {
  for (let i = 0; i < 600; i++) {
    if (condition()) return true
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return condition()
}

const range = (first, count) => Array.from({ length: count }, (_, i) => first + i)

const same = (numbers, count) =>
  numbers.length === count && [...numbers].sort((a, b) => a - b).every((value, i) => value === i)

function messages(first, count, partitions) {
  return range(first, count).map(i => ({ value: String(i), partition: i % partitions,
    timestamp: String(1600000000000 + i), headers: { number: String(i) } }))
}

async function rejection(promise) {
  try {
    await promise
    return null
  } catch (error) {
    return error.type || (error.errors && error.errors[0].type) ||
      (error.groups && error.groups[0].error.type) || error.message
  }
}

async function checkAdmin(admin) {
  const topics = [{ topic: 'admin', numPartitions: 2,
    configEntries: [{ name: 'retention.ms', value: '60000' }] }]
  check(await admin.createTopics({ topics }), 'a topic is created')
  check(!await admin.createTopics({ topics }), 'and not a second time')
  await admin.createPartitions({ topicPartitions: [{ topic: 'admin', count: 4 }] })
  const { topics: [described] } = await admin.fetchTopicMetadata({ topics: ['admin'] })
  check(described.partitions.length === 4, 'it grows', described)
  const resource = { type: ConfigResourceTypes.TOPIC, name: 'admin' }
  await admin.alterConfigs({ validateOnly: false, resources: [
    { ...resource, configEntries: [{ name: 'cleanup.policy', value: 'compact,delete' }] }] })
  const { resources: [{ configEntries }] } =
    await admin.describeConfigs({ resources: [resource], includeSynonyms: true })
  const value = name => configEntries.find(entry => entry.configName === name).configValue
  check(value('cleanup.policy') === 'compact,delete' && value('retention.ms') === '604800000',
    'its settings are replaced and described', configEntries)
  await admin.alterConfigs({ validateOnly: false, resources: [
    { ...resource, configEntries: [{ name: 'cleanup.policy', value: 'delete' }] }] })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: 'admin', acks: -1, messages: messages(0, 400, 4) })
  await producer.disconnect()
  const offsets = await admin.fetchTopicOffsets('admin')
  check(offsets.length === 4 && offsets.every(o => o.offset === '100' && o.low === '0'),
    'ends are listed', offsets)
  const times = await admin.fetchTopicOffsetsByTimestamp('admin', 1600000000200)
  check(times.every(o => o.offset === '50'), 'and offsets by time', times)
  await admin.deleteTopicRecords({ topic: 'admin', partitions: [{ partition: 1, offset: '30' }] })
  const left = await admin.fetchTopicOffsets('admin')
  check(left.find(o => o.partition === 1).low === '30', 'records are deleted', left)
  const cluster = await admin.describeCluster()
  check(cluster.brokers.length === 1 && cluster.controller === 1, 'the cluster is described',
    cluster)
}

async function join(group, topic, got, options = {}) {
  const consumer = kafka.consumer({ groupId: group, heartbeatInterval: 200, sessionTimeout: 6000,
    rebalanceTimeout: 5000, maxWaitTimeInMs: 100, ...options })
  const member = { consumer, got, partitions: 0 }
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    member.partitions = (payload.memberAssignment[topic] || []).length
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ autoCommitThreshold: 50, autoCommitInterval: 200,
    eachMessage: async ({ message }) => { got.push(Number(message.value)) } })
  return member
}

async function checkGroups(admin) {
  const topic = 'balanced'
  await admin.createTopics({ topics: [{ topic, numPartitions: 4 }] })
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const produce = first => producer.send({ topic, acks: -1, messages: messages(first, 400, 4) })
  await produce(0)
  const got = []
  const first = await join('js', topic, got)
  check(await wait(() => got.length === 400), 'one member reads everything', got.length)
  const second = await join('js', topic, got)
  check(await wait(() => first.partitions === 2 && second.partitions === 2),
    'two share the partitions', [first.partitions, second.partitions])
  await produce(400)
  check(await wait(() => new Set(got).size === 800), 'both read what comes', got.length)
  const { groups: [group] } = await admin.describeGroups(['js'])
  check(group.state === 'Stable' && group.members.length === 2, 'they are described', group)
  check(await rejection(admin.deleteGroups(['js'])) === 'NON_EMPTY_GROUP', 'and not deleted')
  await first.consumer.disconnect()
  check(await wait(() => second.partitions === 4), 'one leaves, the other has all')
  await produce(800)
  check(await wait(() => new Set(got).size === 1200) && same(got, 1200),
    'nothing was lost or read twice', got.length)
  await second.consumer.disconnect()
  const [fetched] = await admin.fetchOffsets({ groupId: 'js', topics: [topic] })
  const sum = fetched.partitions.reduce((total, p) => total + Number(p.offset), 0)
  check(sum === 1200, 'what they read is committed', fetched)
  await admin.resetOffsets({ groupId: 'js', topic, earliest: true })
  await admin.setOffsets({ groupId: 'js', topic, partitions: [{ partition: 0, offset: '290' }] })
  const again = []
  const third = await join('js', topic, again)
  check(await wait(() => again.length === 910), 'an empty group is set back, and reads again',
    again.length)
  third.consumer.seek({ topic, partition: 3, offset: '299' })
  check(await wait(() => again.length === 911), 'a member seeks', again.length)
  await third.consumer.disconnect()
  await admin.deleteGroups(['js'])
  const { groups } = await admin.listGroups()
  check(!groups.some(g => g.groupId === 'js'), 'the group is deleted', groups)
  await producer.disconnect()
}

async function checkTransactions(admin) {
  const topic = 'transactions'
  await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] })
  const producer = kafka.producer({ transactionalId: 'js', idempotent: true,
    maxInFlightRequests: 1 })
  await producer.connect()
  let kept = 0
  for (let i = 0; i < 6; i++) {
    const transaction = await producer.transaction()
    const aborts = i % 3 === 2
    await transaction.send({ topic, messages: messages(aborts ? 5000 : kept, 100, 2) })
    await transaction.sendOffsets({ consumerGroupId: 'moved',
      topics: [{ topic, partitions: [{ partition: 0, offset: String(aborts ? 5000 : kept) }] }] })
    if (aborts) {
      await transaction.abort()
    } else {
      await transaction.commit()
      kept += 100
    }
  }
  await producer.disconnect()
  const committed = []
  const reader = await join('committed', topic, committed)
  check(await wait(() => committed.length >= 400) && same(committed, 400),
    'what is committed is read, and nothing else', committed.length)
  await reader.consumer.disconnect()
  const everything = []
  const other = await join('everything', topic, everything, { readUncommitted: true })
  check(await wait(() => everything.length === 600), 'who asks for it reads all', everything.length)
  await other.consumer.disconnect()
  const [offsets] = await admin.fetchOffsets({ groupId: 'moved', topics: [topic] })
  check(offsets.partitions.find(p => p.partition === 0).offset === '300',
    'offsets are those of the commits', offsets)
}

async function main() {
  const admin = kafka.admin()
  await admin.connect()
  await checkAdmin(admin)
  await checkGroups(admin)
  await checkTransactions(admin)
  await admin.deleteTopics({ topics: ['admin'] })
  check(!(await admin.listTopics()).includes('admin'), 'a topic is deleted')
  await admin.disconnect()
  process.exit(failed ? 1 : 0)
}

main().catch(error => {
  console.log('not ok - it runs to its end\n    ' + error.stack)
  process.exit(1)
})
