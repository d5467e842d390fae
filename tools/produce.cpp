// leat produce: sends lines as records.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "leat/blocking.h"
#include "tools/commands.h"
#include "tools/connect.h"
#include "tools/csv.h"
#include "tools/deliveries.h"
#include "tools/interrupt.h"
#include "tools/line_reader.h"
#include "tools/record_json.h"

namespace leat::tools {

namespace {

struct ProduceOptions {
  std::string brokers = default_brokers;
  std::string topic;
  std::vector<std::string> files;
  std::optional<std::string> key_field;
  std::optional<std::string> timestamp_field;
  std::optional<std::int64_t> partition;
  std::string codec = "none";
  std::string format = "lines";
  bool strict = false;
};

/// How far the work is, on a terminal, and what was done, at the end. On stderr.
class Progress {
 public:
  explicit Progress(const Deliveries& deliveries)
      : deliveries_(deliveries), terminal_(isatty(STDERR_FILENO) == 1) {}

  void read(std::size_t bytes) {
    bytes_ += bytes;
    // The clock is looked at now and then only: it costs as much as a record.
    constexpr std::uint64_t stride = 1024;
    if (!terminal_ || ++records_ % stride != 0) return;
    auto now = Clock::now();
    if (now - shown_ < std::chrono::milliseconds(200)) return;
    shown_ = now;
    fmt::print(stderr, "\r{}\x1b[K", line());
  }
  void finish(std::int64_t bad_lines) const {
    std::string text = line();
    if (bad_lines > 0) text += fmt::format(", {} bad lines", bad_lines);
    if (deliveries_.failed() > 0) text += fmt::format(", {} failed", deliveries_.failed());
    fmt::print(stderr, "{}{}{}\n", terminal_ ? "\r" : "", text, terminal_ ? "\x1b[K" : "");
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::string line() const {
    std::chrono::duration<double> elapsed = Clock::now() - started_;
    double rate = static_cast<double>(deliveries_.delivered()) / std::max(elapsed.count(), 1e-6);
    return fmt::format("{} records, {:.1f} MB in {:.2f} s, {:.0f} records/s",
                       deliveries_.delivered(), static_cast<double>(bytes_) / 1e6, elapsed.count(),
                       rate);
  }

  const Deliveries& deliveries_;
  bool terminal_;
  Clock::time_point started_ = Clock::now();
  Clock::time_point shown_;
  std::uint64_t records_ = 0;
  std::size_t bytes_ = 0;
};

class Producing {
 public:
  Producing(const ProduceOptions& options, blocking::Producer& producer, Progress& progress,
            const Interrupt& interrupt)
      : options_(options),
        is_lines_(options.format == "lines"),
        is_csv_(options.format == "csv"),
        producer_(producer),
        progress_(progress),
        interrupt_(interrupt) {}

  /// Sends what is in `path`. An error is one that ends the command; a bad line is only counted,
  /// unless it is to be an error.
  Result<void> send_file(const std::string& path);
  std::int64_t bad_lines() const { return bad_lines_; }

 private:
  Result<void> send_line(LineReader& lines, std::string_view line);
  Result<void> send_csv(LineReader& lines, std::string_view line);
  void send(const LineRecord& record);
  /// Reads the value's key and timestamp off its fields, where that is asked for.
  Result<void> send_value(std::string_view value);
  Result<void> take_bad(const LineReader& lines, std::int64_t line_number, const Error& error);

  const ProduceOptions& options_;
  bool is_lines_;
  bool is_csv_;
  blocking::Producer& producer_;
  Progress& progress_;
  const Interrupt& interrupt_;
  JsonLineReader json_;
  std::optional<CsvToJson> csv_;
  std::string row_;
  std::string object_;
  LineRecord plain_;
  std::int64_t bad_lines_ = 0;
};

Result<void> Producing::send_file(const std::string& path) {
  Result<LineReader> lines = LineReader::open(path, interrupt_.wake_fd());
  if (!lines) return fail(lines);
  csv_.reset();
  while (!interrupt_.requested()) {
    Result<std::optional<std::string_view>> line = lines->next();
    if (!line) return fail(line);
    if (!*line) break;
    std::int64_t line_number = lines->line_number();
    Result<void> sent = send_line(*lines, **line);
    if (!sent && sent.error().code == Errc::bad_record)
      sent = take_bad(*lines, line_number, sent.error());
    if (!sent) return sent;
  }
  return {};
}

Result<void> Producing::take_bad(const LineReader& lines, std::int64_t line_number,
                                 const Error& error) {
  ++bad_lines_;
  std::string text = fmt::format("{}:{}: {}", lines.name(), line_number, error.what);
  if (options_.strict) return fail(Errc::bad_record, std::move(text));
  complain(text);
  return {};
}

Result<void> Producing::send_line(LineReader& lines, std::string_view line) {
  progress_.read(line.size() + 1);
  if (is_lines_) return send_value(line);
  if (is_csv_) return send_csv(lines, line);
  if (line.empty() || line == "\r") return {};
  Result<const LineRecord*> record = json_.read_record(line);
  if (!record) return fail(record);
  send(**record);
  return {};
}

Result<void> Producing::send_csv(LineReader& lines, std::string_view line) {
  row_ = line;
  while (!CsvToJson::is_whole_row(row_)) {
    Result<std::optional<std::string_view>> more = lines.next();
    if (!more) return fail(more);
    if (!*more) break;
    progress_.read((*more)->size() + 1);
    row_ += '\n';
    row_ += **more;
  }
  if (row_.empty() || row_ == "\r") return {};
  if (!csv_) {
    csv_.emplace();
    Result<void> named = csv_->read_names(row_);
    // Without names no row means anything.
    if (!named)
      return fail(Errc::invalid_argument,
                  fmt::format("{}:{}: {}", lines.name(), lines.line_number(), named.error().what));
    return {};
  }
  object_.clear();
  Result<void> object = csv_->append_json(row_, object_);
  if (!object) return object;
  std::size_t size = object_.size();
  object_.append(json_padding_bytes, '\0');
  return send_value(std::string_view(object_).substr(0, size));
}

Result<void> Producing::send_value(std::string_view value) {
  if (!options_.key_field && !options_.timestamp_field) {
    plain_.value = value;
    send(plain_);
    return {};
  }
  auto record = json_.read_fields(value, options_.key_field, options_.timestamp_field);
  if (!record) return fail(record);
  send(**record);
  return {};
}

void Producing::send(const LineRecord& record) {
  OutRecord out{options_.topic, record.key, record.value, record.headers, {}, record.timestamp};
  if (options_.partition) out.partition = static_cast<std::int32_t>(*options_.partition);
  producer_.enqueue(out);
}

Result<void> check(const ProduceOptions& options) {
  if (options.format == "json" && (options.key_field || options.timestamp_field))
    return fail(Errc::invalid_argument,
                "-F json has key and timestamp of its own: -k and -t are for lines and csv");
  if (options.partition && (*options.partition < 0 || *options.partition > INT32_MAX))
    return fail(Errc::invalid_argument, "-p: partitions count from 0");
  return {};
}

/// Sends all files. What was sent before an error is still delivered.
Result<void> send_files(const ProduceOptions& options, Producing& producing,
                        blocking::Producer& producer, const Interrupt& interrupt) {
  std::vector<std::string> files = options.files;
  if (files.empty()) files.push_back("-");
  Result<void> sent;
  Result<void> taken = attempt([&] {
    for (const std::string& file : files) {
      if (!sent || interrupt.requested()) break;
      sent = producing.send_file(file);
    }
  });
  producer.flush();
  return taken ? sent : taken;
}

int produce(const ProduceOptions& options) {
  Result<void> checked = check(options);
  if (!checked) return fail_command(checked.error());
  Interrupt interrupt;
  // An interrupt ends the reading, not the delivery of what was read.
  Deliveries deliveries;
  ProducerOptions producer_options;
  producer_options.compression = codec_named(options.codec);
  producer_options.on_delivery = [&](const BatchDelivery& batch) { deliveries.add(batch); };
  blocking::Producer producer(client_options(options.brokers), std::move(producer_options));
  // Before anything is read: a mistyped address should not wait for a terminal's input.
  producer.partition_count(options.topic);
  Progress progress(deliveries);
  Producing producing(options, producer, progress, interrupt);
  Result<void> sent = send_files(options, producing, producer, interrupt);
  progress.finish(producing.bad_lines());
  if (!sent) return fail_command(sent.error());
  if (producing.bad_lines() > 0 || deliveries.failed() > 0) return exit_error;
  if (!interrupt.requested()) return exit_ok;
  complain("interrupted");
  return interrupt.exit_code();
}

void declare(Arguments& arguments) {
  auto options = std::make_shared<ProduceOptions>();
  arguments.required("TOPIC", options->topic, "The topic");
  arguments.positionals("FILE", options->files, "What to send; gzip is unpacked (default: stdin)",
                        false);
  arguments.brokers(options->brokers);
  arguments.option("-k,--key FIELD", options->key_field, "JSON field that is the record's key");
  arguments.option("-t,--timestamp FIELD", options->timestamp_field,
                   "JSON field that is the record's time: RFC 3339, or ms since 1970");
  arguments.option("-p,--partition N", options->partition,
                   "Where to send all records (default: by key, or anywhere)");
  arguments.choice("-z,--compression CODEC", options->codec, codec_names(),
                   "How batches are compressed");
  arguments.choice("-F,--input-format FORMAT", options->format, {"lines", "json", "csv"},
                   "lines: each is a value; json: records as `leat consume --format json` prints "
                   "them; csv: the first row has the names, rows become JSON objects");
  arguments.flag("--strict", options->strict, "Stop at the first bad line");
  arguments.run([options] { return produce(*options); });
}

}  // namespace

const Command produce_command{
    "produce", "Sends lines as records",
    "  echo hello | leat produce greetings\n"
    "  leat produce edits edits.jsonl.gz -k channel -t time -z lz4\n"
    "  leat produce orders orders.csv -F csv -k order_id\n"
    "  leat consume a -e --format json | leat produce b -F json\n"
    "A bad line is reported with its number and left out; the exit code is then 1.",
    declare};

}  // namespace leat::tools
