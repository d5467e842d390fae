// What every demo stands on: a server in this program, and a folder that goes with it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "file/posix_file_system.h"
#include "leat/blocking.h"
#include "net/address.h"
#include "server/server.h"
#include "stream/broker_topics.h"
#include "tools/interrupt.h"

namespace leat::tools {

struct StageOptions {
  /// A directory that stays; a temporary one if not given.
  std::optional<std::string> data;
  std::string listen = "127.0.0.1:0";
  /// The server runs on when the story has been told, until Ctrl-C.
  bool keep = false;
};

/// A directory that goes with the demo, unless it was the user's own.
class DemoDirectory {
 public:
  explicit DemoDirectory(const std::optional<std::string>& given);
  ~DemoDirectory();
  DemoDirectory(const DemoDirectory&) = delete;
  DemoDirectory& operator=(const DemoDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool is_temporary_ = false;
};

/// For one thread.
class DemoStage {
 public:
  /// What is told; exceptions of the client are taken for errors.
  using Story = std::function<Result<void>(DemoStage&)>;

  DemoStage(StageOptions options, const Interrupt& interrupt);
  /// Starts a server, tells the story, and stops.
  Result<void> tell(const Story& story);

  const StageOptions& options() const { return options_; }
  bool interrupted() const { return interrupt_.requested(); }
  /// Errc::cancelled once the user wants the story to end.
  Result<void> check_interrupt() const;
  /// "127.0.0.1:41234"
  std::string kafka() const { return server_->kafka_address().to_string(); }
  std::string http() const { return server_->http_address()->to_string(); }
  /// Of data and of what pipelines write into folders.
  const std::string& directory() const { return directory_.path(); }

  const ClientOptions& connect() const { return connect_; }
  blocking::Admin& admin() { return *admin_; }
  stream::BrokerTopics& topics() { return *topics_; }
  broker::Broker& broker() { return server_->broker(); }
  file::FileSystem& files() { return files_; }
  const Clock& clock() const { return clock_; }

  /// Finds the topic, or makes it. An error if it has another number of partitions.
  Result<void> need_topic(const std::string& name, std::int32_t partitions);
  /// Stops the server and starts it again, at the same address. Nothing may read or write by
  /// topics() meanwhile.
  Result<void> restart();
  /// If it is to be kept: says `hints`, and returns at Ctrl-C.
  void stay(const std::vector<std::string>& hints);

 private:
  Result<void> start_server();
  Result<void> stop_server();

  StageOptions options_;
  const Interrupt& interrupt_;
  SystemClock clock_;
  file::PosixFileSystem files_;
  DemoDirectory directory_;
  net::Address http_{"127.0.0.1", 0};
  // In the order in which they need each other.
  std::unique_ptr<server::Server> server_;
  std::unique_ptr<stream::BrokerTopics> topics_;
  ClientOptions connect_;
  std::optional<blocking::Admin> admin_;
};

}  // namespace leat::tools
