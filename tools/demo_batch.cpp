// leat demo batch: the daily summary of one date, run, run again, and run once more over tables
// that have changed.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "stream/file_sink.h"
#include "stream/runner.h"
#include "tools/demo_events.h"
#include "tools/demo_jobs.h"

namespace leat::tools {

namespace {

constexpr const char* plan_path = "batch/daily-summary.plan.json";
constexpr const char* date = "2026-03-03";
constexpr std::size_t order_count = 180'000;  // an order a second: two days, and some of a third

/// Lines by file, of a date: sorted, since a file's order is nobody's concern.
using Files = std::map<std::string, std::vector<std::string>>;

/// The tables as they are looked up: the last row of each key counts.
class Table {
 public:
  Table(std::string kind, const char* column) : column_(column) {
    auto traits = default_traits(kind);
    rows_ = table_rows(kind);
    // Once all rows have come they come again, and some have changed.
    events_ = make_events(kind, traits, 2 * rows_);
    kind_ = std::move(kind);
  }
  Result<void> send(DemoStage& stage, bool changed) {
    std::vector<DemoEvent> rows(
        events_.begin(),
        events_.begin() + static_cast<std::ptrdiff_t>(changed ? 2 * rows_ : rows_));
    auto sent = send_events(stage, kind_, rows, default_traits(kind_).partitions, true);
    if (!sent) return fail(sent);
    for (const DemoEvent& event : rows) {
      auto members = read_members(event.value);
      if (!members) return fail(members);
      latest_[event.key] = (*members)[column_];
    }
    return {};
  }
  std::string find(const std::string& key) const {
    auto found = latest_.find(key);
    return found == latest_.end() ? "unknown" : found->second;
  }
  std::size_t size() const { return rows_; }

 private:
  std::string kind_;
  const char* column_;
  std::size_t rows_ = 0;
  std::vector<DemoEvent> events_;
  std::map<std::string, std::string> latest_;
};

/// What the summary should be, by a loop over the orders.
Result<Files> reckon(const std::vector<DemoEvent>& orders, const Table& customers,
                     const Table& products) {
  struct Group {
    std::int64_t orders = 0;
    std::int64_t cents = 0;
    std::set<std::string> customers;
  };
  std::map<std::pair<std::string, std::string>, Group> groups;
  std::set<std::string> seen;
  for (const DemoEvent& event : orders) {
    auto order = read_members(event.value);
    if (!order) return fail(order);
    if ((*order)["order_date"] != date || !seen.insert((*order)["order_id"]).second) continue;
    std::int64_t cents = read_cents((*order)["amount"]);
    if ((*order)["status"] == "cancelled" || cents <= 0) continue;
    const std::string& customer = (*order)["customer_id"];
    Group& group = groups[{products.find((*order)["product_id"]), customers.find(customer)}];
    ++group.orders;
    group.cents += cents;
    group.customers.insert(customer);
  }
  Files files;
  for (const auto& [names, group] : groups) {
    constexpr std::int64_t millionths = 10'000;  // in a cent
    std::int64_t average =
        (2 * group.cents * millionths + group.orders) / (2 * group.orders);  // rounded
    files[stream::folder_name("category", names.first)].push_back(fmt::format(
        "{},{},{}.{:02},{}.{:06},{}", names.second, group.orders, group.cents / 100,
        group.cents % 100, average / 1'000'000, average % 1'000'000, group.customers.size()));
  }
  for (auto& [name, lines] : files) std::sort(lines.begin(), lines.end());
  return files;
}

Result<Files> read_files(const std::string& folder) {
  Files files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    std::ifstream in(entry.path() / "rows.csv");
    std::string line;
    std::vector<std::string>& lines = files[entry.path().filename().string()];
    std::getline(in, line);  // the columns' names
    while (std::getline(in, line)) lines.push_back(line);
    std::sort(lines.begin(), lines.end());
  }
  if (error) {
    return fail(Errc::io_error, fmt::format("cannot read {}: {}", folder, error.message()));
  }
  return files;
}

class BatchJob {
 public:
  explicit BatchJob(DemoStage& stage) : stage_(stage), out_(stage.directory() + "/daily-summary") {}

  Result<void> play();

 private:
  Result<void> send_orders();
  Result<void> run();
  Result<void> show();
  Result<void> check();

  DemoStage& stage_;
  std::string out_;
  std::vector<DemoEvent> orders_;
  Table customers_{"customers", "customer_segment"};
  Table products_{"products", "category"};
  Files files_;
};

Result<void> BatchJob::send_orders() {
  auto traits = default_traits("orders");
  orders_ = make_events("orders", traits, order_count);
  tell_step(
      fmt::format("{} orders of two days and a bit, of which some come late, some twice, and "
                  "some are cancelled; and who buys, and what there is:",
                  orders_.size()));
  fmt::print(
      "  $ leat gen orders --to orders -p {} -n {}\n"
      "  $ leat gen customers --to customers\n"
      "  $ leat gen products --to products\n",
      traits.partitions, order_count);
  auto sent = send_events(stage_, "orders", orders_, traits.partitions, false);
  if (!sent) return fail(sent);
  if (auto tables = customers_.send(stage_, false); !tables) return tables;
  return products_.send(stage_, false);
}

Result<void> BatchJob::run() {
  auto plan = read_job_plan(plan_path, {{"date", date}, {"out", out_}}, stage_.clock());
  if (!plan) return fail(plan);
  stream::RunOptions options;
  options.at_end = stream::AtEnd::flush;
  options.workers = std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
  auto runner = stream::Runner::open(std::move(*plan), stage_.topics(), &stage_.files(),
                                     stage_.clock(), options);
  if (!runner) return fail(runner);
  auto begun = stage_.clock().monotonic();
  if (auto ended = (*runner)->run(); !ended) return ended;
  std::chrono::duration<double> took = stage_.clock().monotonic() - begun;
  auto progress = (*runner)->status().progress;
  fmt::print("daily-summary: {} rows in, {} out, {} late, {} bad in {:.2f} s\n", progress.rows_in,
             progress.rows_out, progress.late, progress.bad, took.count());
  auto files = read_files(out_ + "/order_date=" + date);
  if (!files) return fail(files);
  files_ = std::move(*files);
  return {};
}

Result<void> BatchJob::show() {
  std::string folder = out_ + "/order_date=" + date;
  for (const auto& [name, lines] : files_) fmt::print("  {}/{}/rows.csv\n", folder, name);
  fmt::print("The first one of them:\n");
  std::ifstream in(folder + "/" + files_.begin()->first + "/rows.csv");
  for (std::string line; std::getline(in, line);) fmt::print("  {}\n", line);
  return {};
}

Result<void> BatchJob::check() {
  auto expected = reckon(orders_, customers_, products_);
  if (!expected) return fail(expected);
  if (files_ != *expected) {
    return fail(Errc::corrupt_message,
                "the summary differs from what a loop over the orders makes of them");
  }
  std::size_t rows = 0;
  for (const auto& [name, lines] : files_) rows += lines.size();
  fmt::print("As a loop over the orders in plain C++ has it: {} rows in {} files.\n", rows,
             files_.size());
  return {};
}

Result<void> BatchJob::play() {
  if (auto sent = send_orders(); !sent) return sent;
  std::string command =
      fmt::format("leat run examples/jobs/{} --batch -b {} --set date={} --set out={}", plan_path,
                  stage_.kafka(), date, out_);
  tell_step(fmt::format("The summary of {}:", date), command);
  if (auto ran = run(); !ran) return ran;
  if (auto shown = show(); !shown) return shown;
  if (auto checked = check(); !checked) return checked;

  tell_step(
      "Again, as somebody would who does not know whether it has run: it takes the place of "
      "what is there.",
      command);
  Files before = files_;
  if (auto ran = run(); !ran) return ran;
  if (files_ != before) return fail(Errc::corrupt_message, "the second run gave something else");
  if (auto checked = check(); !checked) return checked;

  tell_step(
      "Some customers and products are said to belong elsewhere, and the summary is wrong; so "
      "it is run once more.",
      fmt::format("leat gen products --to products -n {}; …", 2 * products_.size()));
  if (auto tables = customers_.send(stage_, true); !tables) return tables;
  if (auto tables = products_.send(stage_, true); !tables) return tables;
  if (auto ran = run(); !ran) return ran;
  if (files_ == before) return fail(Errc::corrupt_message, "the tables' changes changed nothing");
  if (auto checked = check(); !checked) return checked;

  tell_step("Every night at 02:00, for the day before, is what the plan's mode says to a server:",
            fmt::format("leat pipeline deploy examples/jobs/{}", plan_path));
  stage_.stay({fmt::format("leat topic list -b {}", stage_.kafka()), fmt::format("ls {}/*/*", out_),
               command});
  return {};
}

}  // namespace

Result<void> play_batch(DemoStage& stage) {
  fmt::print(
      "A shop's daily summary: per category and segment of customers, what was ordered on a "
      "date.\n");
  return BatchJob(stage).play();
}

}  // namespace leat::tools
