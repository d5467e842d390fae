// leat gen: events that are made up, to stdout or to a topic.
//
// Which events come, and in which order, follows from the options alone (generate/traits.h). A
// topic that is there keeps its number of partitions, and events belong to those.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/clock.h"
#include "column/timestamp.h"
#include "generate/event_stream.h"
#include "generate/kinds.h"
#include "leat/blocking.h"
#include "tools/commands.h"
#include "tools/connect.h"
#include "tools/gen_options.h"
#include "tools/interrupt.h"
#include "tools/pace.h"
#include "tools/pacer.h"
#include "tools/progress.h"
#include "tools/record_target.h"
#include "tools/record_template.h"

namespace leat::tools {

namespace {

using generate::Event;
using generate::Kind;
using generate::Traits;

/// The records of one run, and what is told of them.
class Generating {
 public:
  /// `count` 0: without end.
  Generating(const Kind& kind, const Traits& traits, std::int64_t count, RecordTarget& target,
             const Pace& pace, const Interrupt& interrupt)
      : name_(kind.name),
        stream_(kind.make(traits), traits),
        wanted_(count),
        target_(target),
        pacer_(pace, target, progress_, interrupt) {}

  Result<void> run();
  /// On stderr: what was done.
  void report();

 private:
  InRecord record_of(const Event& event) const;
  void count(const Event& event);
  std::string line();

  std::string_view name_;
  generate::EventStream stream_;
  std::int64_t wanted_;
  RecordTarget& target_;
  Progress progress_;
  Pacer pacer_;
  std::int64_t count_ = 0;
  std::int64_t late_ = 0;
  std::int64_t repeated_ = 0;
  std::int64_t first_ms_ = 0;
  std::int64_t arrival_ms_ = 0;
};

Result<void> Generating::run() {
  std::function<std::string()> text = [this] { return line(); };
  while ((wanted_ == 0 || count_ < wanted_) && !target_.is_closed()) {
    const Event* event = stream_.next();
    if (!event || !pacer_.wait(event->arrival_ms, text)) break;
    Result<void> put = target_.put(record_of(*event));
    if (!put) return put;
    count(*event);
  }
  return {};
}

InRecord Generating::record_of(const Event& event) const {
  InRecord record;
  record.topic = name_;
  record.partition = event.partition;
  record.offset = static_cast<std::int64_t>(event.number);
  record.timestamp = Timestamp{std::chrono::milliseconds(event.time_ms)};
  record.key = event.key;
  record.value = event.value;
  return record;
}

void Generating::count(const Event& event) {
  if (count_ == 0) first_ms_ = event.arrival_ms;
  arrival_ms_ = event.arrival_ms;
  ++count_;
  if (event.is_repeat)
    ++repeated_;
  else if (event.arrival_ms > event.time_ms)
    ++late_;
}

std::string Generating::line() {
  auto left = progress_.seconds_left(static_cast<double>(count_), static_cast<double>(wanted_));
  std::string text = fmt::format("{} records", count_);
  if (wanted_ > 0)
    text = fmt::format("{} of {} records, {} %", count_, wanted_, 100 * count_ / wanted_);
  text += fmt::format(", {:.0f} records/s", progress_.rate());
  if (count_ > 0) {
    text += ", at ";
    column::append_timestamp(text, column::Timestamp{arrival_ms_});
  }
  if (wanted_ > 0 && left) text += ", " + seconds_text(*left) + " left";
  return text;
}

void Generating::report() {
  progress_.wipe();
  constexpr double ms_per_second = 1000;
  double seconds = std::max(progress_.seconds(), 1e-6);
  std::string text = fmt::format("{} records in {:.2f} s, {:.0f} records/s", count_, seconds,
                                 static_cast<double>(count_) / seconds);
  text += fmt::format("; {} of event time",
                      seconds_text(static_cast<double>(arrival_ms_ - first_ms_) / ms_per_second));
  if (late_ > 0) text += fmt::format(", {} late", late_);
  if (repeated_ > 0) text += fmt::format(", {} repeated", repeated_);
  fmt::print(stderr, "{}\n", text);
}

/// Finds the topic, or makes it, and gives the number of its partitions.
std::int32_t prepare_topic(const GenOptions& options, const Kind& kind, std::int32_t partitions) {
  blocking::Admin admin(client_options(options.brokers));
  if (auto count = count_partitions(admin, *options.to)) return static_cast<std::int32_t>(*count);
  NewTopic topic(*options.to, partitions);
  if (kind.is_table) topic.configs.emplace_back("cleanup.policy", "compact");
  create_topic(admin, std::move(topic));
  return partitions;
}

Result<std::unique_ptr<RecordTarget>> open_target(const GenOptions& options) {
  if (options.to) return make_topic_target({options.brokers, *options.to, options.codec});
  if (options.format == "json") return make_json_target();
  auto record_template = RecordTemplate::parse(options.record_template.value_or("%s\n"));
  if (!record_template) return fail(record_template);
  return make_text_target(std::move(*record_template));
}

int generate_events(const Kind& kind, const GenOptions& options) {
  auto traits = traits_of(options, SystemClock().wall_ms());
  if (!traits) return fail_command(traits.error());
  auto speed = parse_speed(options.speed);
  if (!speed) return fail_command(speed.error());
  std::int64_t count = options.count.value_or(kind.count(*traits));
  Interrupt interrupt;
  if (options.to) traits->partitions = prepare_topic(options, kind, traits->partitions);
  auto target = open_target(options);
  if (!target) return fail_command(target.error());
  Generating generating(kind, *traits, count, **target, Pace(*speed), interrupt);
  Result<void> put;
  Result<void> sent = attempt([&] { put = generating.run(); });
  Result<void> done = sent ? put : sent;
  // An interrupt ends the making, not the delivery of what was made.
  Result<void> finished = (*target)->finish();
  if ((*target)->is_closed() && finished) return exit_ok;
  generating.report();
  if (!done) return fail_command(done.error());
  if (!finished) return fail_command(finished.error());
  if (!interrupt.requested()) return exit_ok;
  complain("interrupted");
  return interrupt.exit_code();
}

/// What `leat gen KIND --help` says.
struct KindHelp {
  const char* name;
  const char* summary;
  const char* examples;
};

constexpr KindHelp kind_helps[] = {
    {"orders", "Orders of a shop",
     "  leat gen orders -n 3\n"
     "  leat gen orders --to orders -p 4 -n 1000000 -z lz4\n"
     "  leat gen orders --to orders --start now --speed 1 -n 0       as if it were a shop\n"
     "  leat gen orders --rate 50 --disorder 0.3 --disorder-within 10m --duplicates 0.1\n"
     "  leat gen orders --disorder 0 --duplicates 0 --idle 0 --drift 0   nothing but orders\n"
     "  leat gen orders --drift 0.5 --drift-as retyped --drift-after 100\n"
     "An order has order_id, customer_id, product_id, amount, quantity, status (placed, paid,\n"
     "shipped, cancelled), order_date and timestamp; some amounts are 0 or below. The key is the\n"
     "customer. `leat gen customers` and `leat gen products` know most of what orders name."},
    {"transactions", "Payments by card, of which some are fraud",
     "  leat gen transactions -n 3\n"
     "  leat gen transactions --to transactions --start now --speed 1 -n 0\n"
     "  leat gen transactions --hot 0.5 --hot-keys 3\n"
     "A transaction has transaction_id, customer_id, amount and timestamp. The key is the "
     "customer.\n"
     "Every other minute somebody's card is used some eight times; a few amounts are at or above\n"
     "10,000."},
    {"clicks", "What visitors of a shop's pages do",
     "  leat gen clicks -n 3\n"
     "  leat gen clicks --to clicks -p 8 --rate 2000 --speed 10 -n 0\n"
     "  leat gen clicks --idle 3 --idle-for 2m --idle-every 5m\n"
     "A click has click_id, user_id, session_id, page, referrer (or null), shown (products), \n"
     "duration_ms, device {type, os}, geo {country, city} and timestamp. The key is the user."},
    {"nexmark", "The events of an online auction, by which stream processors are compared",
     "  leat gen nexmark -n 50\n"
     "  leat gen nexmark --to nexmark -p 4 -n 10000000 -z lz4\n"
     "  leat gen nexmark --rate 1000000                 as dense: a million events a second\n"
     "  leat gen nexmark --disorder 0.1 --disorder-within 3s\n"
     "  leat gen nexmark --group 1000                   shuffled by thousands\n"
     "Of 50 events one is a person, three are auctions, 46 are bids: event_type 0, 1 or 2, and\n"
     "person, auction or bid. The key is the person's or the auction's id. As Flink's generator\n"
     "has it, but seeded, from a fixed time on, and with bidders who are persons."},
    {"customers", "The customers of `leat gen orders`, a table",
     "  leat gen customers > customers.jsonl\n"
     "  leat gen customers --to customers               a compacted topic\n"
     "  leat gen customers --to customers -n 3000       and changes of it\n"
     "A customer has customer_id, which is the key, customer_name and customer_segment. Of 50\n"
     "customers one is missing. Give --keys as to orders."},
    {"products", "The products of `leat gen orders`, a table",
     "  leat gen products > products.jsonl\n"
     "  leat gen products --to products                 a compacted topic\n"
     "A product has product_id, which is the key, product_name and category."},
};

void declare(Arguments& arguments) {
  for (const Kind& kind : generate::kinds()) {
    auto help =
        std::find_if(std::begin(kind_helps), std::end(kind_helps),
                     [&](const KindHelp& one) { return one.name == std::string_view(kind.name); });
    Arguments& own = arguments.subcommand(help->name, help->summary, help->examples);
    auto options = std::make_shared<GenOptions>(options_for(kind));
    declare_options(own, kind, *options);
    own.run([&kind, options] { return generate_events(kind, *options); });
  }
}

}  // namespace

const Command gen_command{
    "gen", "Makes up events, to stdout or to a topic",
    "  leat gen orders -n 3\n"
    "  leat gen clicks --to clicks -p 8 -n 1000000\n"
    "  leat gen nexmark | head -1\n"
    "  leat gen KIND --help       what its events are, and more examples\n"
    "The same options and the same seed give the same bytes, on every machine.",
    declare};

}  // namespace leat::tools
