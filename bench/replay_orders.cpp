// The daily job over a history of orders as JSON: as a version of a pipeline, exactly once in
// epochs, beside the same graph without commits, and beside DuckDB over the same lines in a file,
// where there is one.
//
//   bench-replay_orders [--events N] [--rounds N] [--workers N] [--directory DIR]
//
// The plan is examples/jobs/batch/daily-summary: one order per number, without those that are
// cancelled or have no amount, joined with 10,000 customers and 1,000 products, by category and
// segment. Over N (2,000,000) orders and, to see whether an order costs the same, over a 20th of
// them; the best of N (3) rounds in turns, since the machine is shared, by CPU time too. All
// answers are compared with sums made beside. DuckDB is the module of the python3 that
// LEAT_DUCKDB_PYTHON names, or of the one that is found.
#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "appends.h"
#include "base/logging.h"
#include "base/random.h"
#include "file/posix_file_system.h"
#include "pipeline/broker_epochs.h"
#include "pipeline/open_plan.h"
#include "pipeline/version_run.h"
#include "stream/data_directory.h"
#include "stream/runner.h"

using namespace leat;
using namespace leat::stream;
using bench::quit;
using bench::take;

namespace {

constexpr std::uint64_t customers = 10'000;
constexpr std::uint64_t products = 1'000;
constexpr std::array segments{"new", "loyal", "business", "guest"};
constexpr std::array categories{"books",   "garden", "kitchen", "music",
                                "outdoor", "sports", "tools",   "toys"};
constexpr std::array statuses{"placed", "paid", "shipped", "cancelled"};
constexpr const char* date = "2026-03-02";
constexpr std::int32_t partitions = 4;

struct Settings {
  std::uint64_t events = 2'000'000;
  int rounds = 3;
  std::size_t workers = 2;
  std::string directory = "build/bench-replay-orders";
};

double now(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

struct Seconds {
  double wall = 1e9;
  double cpu = 1e9;
};

void measure(Seconds& best, auto work) {
  double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
  work();
  best.wall = std::min(best.wall, now(CLOCK_MONOTONIC) - wall);
  best.cpu = std::min(best.cpu, now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
}

/// What the job says of a category and a segment.
struct Group {
  std::uint64_t orders = 0;
  std::int64_t cents = 0;
  std::uint64_t customers = 0;
  bool operator==(const Group&) const = default;
};
using Answer = std::map<std::pair<std::string, std::string>, Group>;

std::int64_t cents_of(const std::string& amount) {
  auto dot = amount.find('.');
  std::string fraction = dot == std::string::npos ? "" : amount.substr(dot + 1);
  fraction.resize(2, '0');
  return std::stoll(amount.substr(0, dot)) * 100 + std::stoll(fraction);
}

/// One order in 100 is there twice, one in 20 cancelled, one in 100 without an amount.
struct Order {
  std::uint64_t number = 0;
  std::uint64_t customer = 0;
  std::uint64_t product = 0;
  std::int64_t cents = 0;
  std::size_t status = 0;

  static Order at(std::uint64_t n) {
    if (n % 100 == 99) n -= 50;
    Random random(n);
    Order order;
    order.number = n;
    order.customer = random.below(customers);
    order.product = random.below(products);
    order.cents = random.one_in(100) ? 0 : random.between(100, 50'000);
    order.status = random.one_in(20) ? 3 : random.below(3);
    return order;
  }
  void write(std::uint64_t events, std::string& json) const {
    auto second = number * 86'400 / events;
    json.clear();
    fmt::format_to(std::back_inserter(json),
                   R"({{"order_id":"o{}","customer_id":"c{}","product_id":"p{}","amount":{}.{:02},)"
                   R"("quantity":1,"status":"{}","order_date":"{}",)"
                   R"("timestamp":"{}T{:02}:{:02}:{:02}Z"}})",
                   number, customer, product, cents / 100, cents % 100, statuses[status], date,
                   date, second / 3600, second / 60 % 60, second % 60);
  }
};

/// The data directory with its topics.
class Log {
 public:
  explicit Log(const std::string& path) : path_(path) {
    broker::BrokerOptions options;
    options.store.directory = path;
    directory_ = take(DataDirectory::open(options, files_, clock_, Random::from_entropy()));
    epochs_ = std::make_unique<pipeline::BrokerEpochs>(directory_->broker(), directory_->topics());
  }
  BrokerTopics& topics() { return directory_->topics(); }
  file::FileSystem& files() { return files_; }
  const Clock& clock() const { return clock_; }
  pipeline::VersionRun::Environment environment() {
    return {topics(), files_, clock_, *epochs_, path_, nullptr, nullptr};
  }

  /// `count` records that `make` writes; of each it gives the key.
  void load(const std::string& name, std::int32_t parts, std::uint64_t count, auto make) {
    Topic topic = take(topics().create_topic(name, parts));
    bench::Appends appends(topics(), topic);
    std::string value;
    for (std::uint64_t n = 0; n < count; ++n) {
      std::string key = make(n, value);
      appends.add_to(n % appends.partitions(), 0, key, value);
    }
    appends.send_all();
    appends.wait();
  }

 private:
  const std::string path_;
  SystemClock clock_;
  file::PosixFileSystem files_;
  std::unique_ptr<DataDirectory> directory_;
  std::unique_ptr<pipeline::BrokerEpochs> epochs_;
};

std::string segment_of(std::uint64_t customer) {
  return segments[customer % segments.size()];
}
std::string category_of(std::uint64_t product) {
  return categories[product % categories.size()];
}

/// Makes topics, and files of lines for DuckDB; what the job must say.
Answer load(Log& log, const Settings& settings, std::uint64_t events) {
  std::filesystem::create_directories(settings.directory + "/lines");
  auto lines = [&](const char* name) {
    return std::make_unique<std::ofstream>(settings.directory + "/lines/" + name);
  };
  auto file = lines("customers");
  log.load("customers", 1, customers, [&](std::uint64_t n, std::string& value) {
    value = fmt::format(R"({{"customer_id":"c{}","customer_segment":"{}"}})", n, segment_of(n));
    *file << value << "\n";
    return fmt::format("c{}", n);
  });
  file = lines("products");
  log.load("products", 1, products, [&](std::uint64_t n, std::string& value) {
    value = fmt::format(R"({{"product_id":"p{}","category":"{}"}})", n, category_of(n));
    *file << value << "\n";
    return fmt::format("p{}", n);
  });
  Answer answer;
  std::map<std::pair<std::string, std::string>, std::vector<bool>> who;
  file = lines("orders");
  log.load("orders", partitions, events, [&](std::uint64_t n, std::string& value) {
    Order order = Order::at(n);
    order.write(events, value);
    *file << value << "\n";
    if (order.number == n && order.status != 3 && order.cents > 0) {
      std::pair key(category_of(order.product), segment_of(order.customer));
      Group& group = answer[key];
      ++group.orders;
      group.cents += order.cents;
      auto& there = who[key];
      there.resize(customers);
      group.customers += there[order.customer] ? 0 : 1;
      there[order.customer] = true;
    }
    return fmt::format("c{}", order.customer);
  });
  return answer;
}

plan::Plan daily_plan(const std::string& out) {
  std::ifstream file("examples/jobs/batch/daily-summary.plan.json");
  if (!file) quit("run it at the root of the repository");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  return take(pipeline::fill_in({text, {{"date", date}, {"out", out}}}, {}, 0));
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::stringstream stream(line);
  for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
  return cells;
}

/// From out/order_date=.../category=.../*.csv.
Answer read_files(const std::string& out) {
  Answer answer;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(out)) {
    std::string path = entry.path().string();
    auto category = path.find("/category=");
    if (!entry.is_regular_file() || category == std::string::npos ||
        path.find("/.leat/") != std::string::npos) {
      continue;
    }
    category += std::string("/category=").size();
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    auto names = cells_of(line);
    while (std::getline(file, line)) {
      auto cells = cells_of(line);
      if (cells.size() != names.size()) quit(path + " is no CSV: " + line);
      std::map<std::string, std::string> row;
      for (std::size_t i = 0; i < cells.size(); ++i) row[names[i]] = cells[i];
      std::pair key(path.substr(category, path.find('/', category) - category),
                    row.at("customer_segment"));
      if (answer.contains(key)) quit("a group came twice");
      answer[key] = {std::stoull(row.at("total_orders")), cents_of(row.at("total_revenue")),
                     std::stoull(row.at("unique_customers"))};
    }
  }
  return answer;
}

constexpr const char* duckdb_script = R"py(
import resource, sys, time
import duckdb
lines, threads = sys.argv[1], sys.argv[2]
db = duckdb.connect(config={'threads': threads})
def read(name, columns):
    return "read_json('%s/%s', format='newline_delimited', columns={%s})" % (lines, name, columns)
orders = read('orders', "order_id: 'VARCHAR', customer_id: 'VARCHAR', product_id: 'VARCHAR', "
              "amount: 'DECIMAL(12,2)', status: 'VARCHAR', order_date: 'DATE', "
              "timestamp: 'TIMESTAMP'")
query = """
  SELECT coalesce(category, 'unknown'), coalesce(customer_segment, 'unknown'), count(*),
         sum(amount), count(DISTINCT o.customer_id), avg(amount)
  FROM (SELECT DISTINCT ON (order_id) * FROM %s WHERE order_date = DATE '2026-03-02') o
  LEFT JOIN %s c USING (customer_id) LEFT JOIN %s p USING (product_id)
  WHERE status <> 'cancelled' AND amount > 0
  GROUP BY ALL""" % (orders, read('customers', "customer_id: 'VARCHAR', "
                                  "customer_segment: 'VARCHAR'"),
                     read('products', "product_id: 'VARCHAR', category: 'VARCHAR'"))
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
wall, used = time.monotonic(), cpu()
rows = db.execute(query).fetchall()
print(time.monotonic() - wall, cpu() - used)
for row in rows:
    print(','.join(str(cell) for cell in row[:5]))
)py";

/// What it takes, by its own clock, so that starting it is not in it. False if it is not there.
bool run_duckdb(const Settings& settings, const Answer& expected, Seconds& best) {
  const char* named = ::getenv("LEAT_DUCKDB_PYTHON");
  std::string script = settings.directory + "/lines/query.py";
  std::ofstream(script) << duckdb_script;
  std::string command =
      fmt::format("{} {} {}/lines {} 2>/dev/null", named == nullptr ? "python3" : named, script,
                  settings.directory, settings.workers);
  std::FILE* output = ::popen(command.c_str(), "r");
  if (output == nullptr) return false;
  std::string text;
  std::array<char, 4096> part{};
  while (std::fgets(part.data(), part.size(), output) != nullptr) text += part.data();
  if (::pclose(output) != 0) return false;
  std::stringstream lines(text);
  double wall = 0, cpu = 0;
  std::string line;
  lines >> wall >> cpu;
  std::getline(lines, line);
  Answer answer;
  while (std::getline(lines, line)) {
    auto cells = cells_of(line);
    answer[{cells.at(0), cells.at(1)}] = {std::stoull(cells.at(2)), cents_of(cells.at(3)),
                                          std::stoull(cells.at(4))};
  }
  if (answer != expected) quit("DuckDB says something else");
  best.wall = std::min(best.wall, wall);
  best.cpu = std::min(best.cpu, cpu);
  return true;
}

struct Figures {
  Seconds plain, versioned, duckdb;
  bool has_duckdb = false;
  std::uint64_t epochs = 0;
};

Figures run(const Settings& settings, std::uint64_t events) {
  std::filesystem::remove_all(settings.directory);
  Figures figures;
  Log log(settings.directory + "/log");
  Answer expected = load(log, settings, events);
  std::uint64_t rows = events + customers + products;
  for (int round = 0; round < settings.rounds; ++round) {
    std::string out = fmt::format("{}/{}/out-{}", std::filesystem::current_path().string(),
                                  settings.directory, round);
    if (settings.directory.starts_with("/"))
      out = settings.directory + fmt::format("/out-{}", round);
    RunOptions options{.at_end = AtEnd::flush};
    options.workers = settings.workers;
    options.state_bytes_max = std::size_t{12} << 30;
    auto runner = take(
        Runner::open(daily_plan(out + "-plain"), log.topics(), &log.files(), log.clock(), options));
    measure(figures.plain, [&] { take(runner->run()); });
    if (runner->status().progress.rows_in != rows) quit("some records were not read");
    runner.reset();
    if (read_files(out + "-plain") != expected) quit("without commits something else came out");
    pipeline::VersionRun::Options version;
    version.plan = daily_plan(out + "-epochs");
    version.pipeline = fmt::format("daily-{}", round);
    version.workers = settings.workers;
    version.state_bytes_max = options.state_bytes_max;
    pipeline::VersionStatus status;
    measure(figures.versioned, [&] {
      auto started = pipeline::VersionRun::start(version, log.environment());
      take(started->wait());
      status = started->status();
    });
    if (status.rows_in != rows) quit("some records were not read in epochs");
    if (read_files(out + "-epochs") != expected) quit("in epochs something else came out");
    figures.epochs = status.epochs;
    figures.has_duckdb = run_duckdb(settings, expected, figures.duckdb);
  }
  return figures;
}

}  // namespace

int main(int argc, char** argv) {
  set_log_level(LogLevel::warning);
  Settings settings;
  for (int i = 1; i < argc; i += 2) {
    std::string name = argv[i];
    if (i + 1 == argc) {
      quit("usage: bench-replay_orders [--events N] [--rounds N] [--workers N] [--directory DIR]");
    }
    if (name == "--events") settings.events = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--rounds") settings.rounds = std::atoi(argv[i + 1]);
    if (name == "--workers") settings.workers = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--directory") settings.directory = argv[i + 1];
  }
  double cpu_of_few = 0;
  for (std::uint64_t events : {settings.events / 20, settings.events}) {
    Figures figures = run(settings, events);
    double count = static_cast<double>(events);
    double cpu = figures.versioned.cpu / count;
    fmt::print(
        "{} orders, {} workers: in {} epochs {:.2f} M/s, {:.2f} of that without commits "
        "({:.2f} M/s), {:.2f} by CPU time; {:.0f} ns of CPU an order",
        events, settings.workers, figures.epochs, count / figures.versioned.wall / 1e6,
        figures.plain.wall / figures.versioned.wall, count / figures.plain.wall / 1e6,
        figures.plain.cpu / figures.versioned.cpu, cpu * 1e9);
    if (cpu_of_few > 0) fmt::print(", {:.2f} times that of a 20th", cpu / cpu_of_few);
    cpu_of_few = cpu;
    if (figures.has_duckdb) {
      fmt::print("; DuckDB {:.2f} M/s: {:.2f} times as fast as it, {:.2f} by CPU time",
                 count / figures.duckdb.wall / 1e6, figures.duckdb.wall / figures.versioned.wall,
                 figures.duckdb.cpu / figures.versioned.cpu);
    } else {
      fmt::print("; there is no DuckDB here");
    }
    fmt::print("\n");
  }
  std::error_code ignored;
  std::filesystem::remove_all(settings.directory, ignored);
}
