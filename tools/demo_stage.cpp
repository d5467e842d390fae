#include "tools/demo_stage.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <utility>

#include <fmt/core.h>

#include "tools/connect.h"

namespace leat::tools {

DemoDirectory::DemoDirectory(const std::optional<std::string>& given) : path_(given.value_or("")) {
  if (given) return;
  std::string pattern = (std::filesystem::temp_directory_path() / "leat-demo-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return;
  path_ = pattern;
  is_temporary_ = true;
}

DemoDirectory::~DemoDirectory() {
  std::error_code ignored;
  if (is_temporary_) std::filesystem::remove_all(path_, ignored);
}

DemoStage::DemoStage(StageOptions options, const Interrupt& interrupt)
    : options_(std::move(options)), interrupt_(interrupt), directory_(options_.data) {}

Result<void> DemoStage::start_server() {
  if (directory().empty()) return fail(Errc::io_error, "cannot make a temporary directory");
  server::ServerOptions options;
  options.broker.store.directory = directory();
  auto address = net::Address::parse(options_.listen, std::nullopt);
  if (!address) return fail(address);
  options.kafka = *address;
  options.http = http_;
  auto server = server::Server::start(std::move(options));
  if (!server) return fail(server);
  server_ = std::move(*server);
  options_.listen = kafka();
  http_ = *server_->http_address();
  topics_ = std::make_unique<stream::BrokerTopics>(server_->broker());
  connect_ = client_options(kafka(), interrupt_.token());
  admin_.emplace(connect_);
  return {};
}

Result<void> DemoStage::tell(const Story& story) {
  Result<void> told;
  Result<void> asked = attempt([&] {
    told = start_server();
    if (!told) return;
    fmt::print("A Leat server listens on {} (Kafka) and {} (HTTP), data in {}\n", kafka(), http(),
               directory());
    told = story(*this);
  });
  if (!asked) told = asked;
  auto stopped = stop_server();
  if (told && !stopped) told = stopped;
  return told;
}

Result<void> DemoStage::stop_server() {
  admin_.reset();
  topics_.reset();
  auto stopped = server_ ? server_->stop() : Result<void>();
  server_.reset();
  return stopped;
}

Result<void> DemoStage::restart() {
  if (auto stopped = stop_server(); !stopped) return stopped;
  return start_server();
}

Result<void> DemoStage::check_interrupt() const {
  if (interrupted()) return fail(Errc::cancelled, "interrupted");
  return {};
}

Result<void> DemoStage::need_topic(const std::string& name, std::int32_t partitions) {
  auto topic = topics_->create_topic(name, partitions);
  if (!topic) return fail(topic);
  if (topic->partitions == partitions) return {};
  return fail(Errc::invalid_argument,
              fmt::format("{} has a topic '{}' with {} partitions, not {}", directory(), name,
                          topic->partitions, partitions));
}

void DemoStage::stay(const std::vector<std::string>& hints) {
  if (!options_.keep) return;
  fmt::print("\nThe server stays until Ctrl-C. Try in another terminal:\n");
  for (const std::string& hint : hints) fmt::print("  {}\n", hint);
  std::fflush(stdout);
  while (!interrupted()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
}

}  // namespace leat::tools
