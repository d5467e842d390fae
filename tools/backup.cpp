// leat backup: a copy of a data directory, also while a server uses it.
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <fmt/core.h>

#include "base/logging.h"
#include "file/posix_file_system.h"
#include "log/backup.h"
#include "net/http_client.h"
#include "tools/commands.h"
#include "tools/connect.h"
#include "tools/data_topics.h"
#include "tools/interrupt.h"
#include "tools/output.h"
#include "tools/progress.h"
#include "tools/record_json.h"

namespace leat::tools {

namespace {

struct BackupOptions {
  std::string target;
  std::string data = "./leat-data";
  std::optional<std::string> http;
  std::string format = "text";
};

/// A server's promise to remove no file, which it keeps for as long as the connection lives. Asks
/// it again and again, so that neither side takes the other for gone.
class Promise {
 public:
  explicit Promise(std::unique_ptr<net::HttpClient> server)
      : server_(std::move(server)), thread_([this] { keep(); }) {}
  ~Promise() { static_cast<void>(end()); }
  Promise(const Promise&) = delete;
  Promise& operator=(const Promise&) = delete;

  /// Whether it was kept until now.
  Result<void> end() {
    {
      std::lock_guard lock(mutex_);
      is_ended_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
    return kept_;
  }

 private:
  void keep() {
    constexpr std::chrono::seconds pause{5};  // the server closes what is silent for a minute
    std::unique_lock lock(mutex_);
    bool is_over = false;
    while (!is_over) {
      is_over = changed_.wait_for(lock, pause, [this] { return is_ended_; });
      lock.unlock();
      auto answer = server_->get("/healthz");
      lock.lock();
      if (answer) continue;
      kept_ = fail(answer.error().code,
                   "the server went away, so files may be missing: " + answer.error().what);
      return;
    }
  }

  std::unique_ptr<net::HttpClient> server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_ended_ = false;  // guarded by mutex_
  Result<void> kept_;      // of the thread, until it has ended
  std::thread thread_;
};

/// Where the server that holds the directory answers HTTP, as its lock file says.
Result<net::Address> find_http(file::FileSystem& files, const BackupOptions& options) {
  if (options.http) return net::Address::parse(*options.http, std::nullopt);
  auto owner = file::read_file(files, options.data + "/lock");
  if (!owner) return fail(owner);
  std::string_view text = as_text(*owner);
  constexpr std::string_view scheme = "http://";
  std::size_t begin = text.find(scheme);
  if (begin == text.npos)
    return fail(Errc::unsupported,
                fmt::format("{} is held by {}, which has no HTTP listener that could help with a "
                            "backup: start it with --http HOST:PORT, or stop it first",
                            options.data, text));
  text.remove_prefix(begin + scheme.size());
  return net::Address::parse(text.substr(0, text.find_first_of(" \n")), std::nullopt);
}

/// What is copied, and what keeps it from changing meanwhile.
struct Source {
  log::BackupPlan plan;
  std::unique_ptr<file::DirectoryLock> lock;
  std::unique_ptr<Promise> promise;
};

Result<Source> ask_server(file::FileSystem& files, const BackupOptions& options) {
  constexpr std::chrono::seconds timeout{30};
  auto address = find_http(files, options);
  if (!address) return fail(address);
  auto server = net::HttpClient::connect(*address, timeout);
  if (!server) return fail(server);
  auto point = (*server)->get("/backup");
  if (!point) return fail(point);
  if (point->status != 200)
    return fail(Errc::unsupported, fmt::format("http://{} answers {} when asked for a backup: {}",
                                               address->to_string(), point->status, point->body));
  Source source;
  source.promise = std::make_unique<Promise>(std::move(*server));
  auto plan = log::plan_backup_of_running(files, options.data, as_bytes(point->body));
  if (!plan) return fail(plan);
  source.plan = std::move(*plan);
  return source;
}

Result<Source> open_source(file::FileSystem& files, const BackupOptions& options) {
  auto lock = hold_directory(files, options.data);
  if (!lock && lock.error().code == Errc::locked) return ask_server(files, options);
  if (!lock) return fail(lock);
  auto plan = log::plan_backup_of_stopped(files, options.data);
  if (!plan) return fail(plan);
  return Source{std::move(*plan), std::move(*lock), nullptr};
}

Result<void> copy(file::FileSystem& files, const BackupOptions& options, Source& source,
                  const Interrupt& interrupt, std::uint64_t& copied) {
  Progress progress;
  auto show = [&](std::uint64_t bytes) {
    copied += bytes;
    progress.show([&] {
      auto done = static_cast<double>(copied);
      auto left = progress.seconds_left(done, static_cast<double>(source.plan.bytes));
      return fmt::format("{} of {}, {}/s{}", bytes_text(copied), bytes_text(source.plan.bytes),
                         bytes_text(static_cast<std::uint64_t>(progress.rate())),
                         left ? ", " + seconds_text(*left) + " left" : "");
    });
    return !interrupt.requested();
  };
  auto end = [&]() -> Result<void> {
    if (interrupt.requested()) return fail(Errc::cancelled, "interrupted");
    return source.promise ? source.promise->end() : Result<void>();
  };
  return log::write_backup(files, source.plan, options.data, options.target, show, end);
}

void report(const BackupOptions& options, const Source& source, std::uint64_t bytes,
            double seconds) {
  Output output;
  if (options.format == "json") {
    output.print("{\"directory\":");
    append_json_text(output.buffer(), options.target);
    output.print(
        fmt::format(",\"partitions\":{},\"bytes\":{},\"damaged_ranges\":{},\"seconds\":{:.3f}}}\n",
                    source.plan.partitions, bytes, source.plan.damaged_ranges, seconds));
  } else {
    output.print(fmt::format("{}: {} partitions, {}, in {:.1f} s\n", options.target,
                             source.plan.partitions, bytes_text(bytes), seconds));
  }
  if (source.plan.damaged_ranges > 0)
    complain(
        fmt::format("{} ranges of offsets are damaged, in the copy as well: leat fsck --data "
                    "{} names them",
                    source.plan.damaged_ranges, options.target));
}

int backup(const BackupOptions& options) {
  set_log_level(LogLevel::none);
  Interrupt interrupt;
  file::PosixFileSystem files;
  auto started = std::chrono::steady_clock::now();
  auto source = open_source(files, options);
  if (!source) return fail_command(source.error());
  std::uint64_t copied = 0;
  auto done = copy(files, options, *source, interrupt, copied);
  if (!done && interrupt.requested()) {
    complain("interrupted; nothing is left of the backup");
    return interrupt.exit_code();
  }
  if (!done) return fail_command(done.error());
  std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - started;
  report(options, *source, copied, elapsed.count());
  return exit_ok;
}

void declare(Arguments& arguments) {
  auto options = std::make_shared<BackupOptions>();
  arguments.required("DIR", options->target, "Where the copy goes: a new or an empty directory");
  arguments.option("-d,--data DIR", options->data, "The data directory to be copied");
  arguments.option("--http HOST:PORT", options->http,
                   "The HTTP listener of the server that holds it (default: as its "
                   "lock file says)");
  arguments.format(options->format);
  arguments.run([options] { return backup(*options); });
}

}  // namespace

const Command backup_command{
    "backup", "Copies a data directory, also while a server uses it",
    "  leat backup /backup/monday                       copies ./leat-data\n"
    "  leat backup --data /var/lib/leat /backup/monday\n"
    "  leat fsck --data /backup/monday                  reads all of the copy\n"
    "  leat serve --data /backup/monday                 serves it, which changes it\n"
    "To restore: stop the server, move its directory away, copy the backup to where it was\n"
    "(cp -a /backup/monday /var/lib/leat), and start the server.\n"
    "The copy has every record that was acknowledged before the backup began. It is called\n"
    "DIR.unfinished until it is whole and on disk. It must be made on the server's machine.",
    declare};

}  // namespace leat::tools
