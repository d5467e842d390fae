#include "client.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace soak {

namespace {

/// Behind what stands before it.
std::string with_comma(const std::string& members) {
  return members.empty() ? "" : "," + members;
}

}  // namespace

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(Steady::now().time_since_epoch())
      .count();
}

std::vector<leat::Partition> partitions_of(const std::vector<std::string>& names) {
  std::vector<leat::Partition> all;
  for (const std::string& name : names) {
    for (int i = 0; i < topics.at(name); ++i) all.push_back({name, i});
  }
  return all;
}

std::string triples(const Offsets& offsets) {
  std::string text;
  for (const auto& [place, offset] : offsets) {
    text +=
        fmt::format("{}[\"{}\",{},{}]", text.empty() ? "" : ",", place.topic, place.number, offset);
  }
  return "[" + text + "]";
}

std::vector<leat::CommittedOffset> to_commit(const Offsets& offsets, const std::string& uid) {
  std::vector<leat::CommittedOffset> all;
  for (const auto& [place, offset] : offsets) all.push_back({place, offset, uid});
  return all;
}

std::vector<Read> read_all(leat::Records& records) {
  std::vector<Read> all;
  for (const leat::InRecord& record : records) {
    std::string_view value = record.value.value_or("");
    all.push_back({{std::string(record.topic), record.partition},
                   record.offset,
                   std::string(value.substr(0, value.find(' ')))});
  }
  return all;
}

Client::Client(asio::io_context& runs_on, const boost::json::object& settings)
    : context(runs_on),
      name(settings.at("client").as_string()),
      number(settings.at("number").to_number<int>()),
      chance_(settings.at("seed").to_number<unsigned>()),
      bootstrap_(settings.at("bootstrap").as_string()),
      file_(
          ::open(settings.at("history").as_string().c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644)) {
  write(fmt::format("\"client\":\"{}\"", name));
}

leat::ClientOptions Client::options() const {
  leat::ClientOptions options;
  options.brokers = bootstrap_;
  options.client_id = name;
  return options;
}

std::string Client::uid() {
  return fmt::format("{}:{}", name, ++uids_);
}

asio::awaitable<void> Client::sleep(double seconds) {
  asio::steady_timer timer(context);
  timer.expires_after(
      std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(seconds)));
  co_await timer.async_wait(asio::use_awaitable);
}

void Client::write(const std::string& members) {
  std::string line = "{" + members + "}\n";
  if (::write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
}

std::uint64_t Client::begin(const std::string& call, const std::string& more) {
  write(fmt::format("\"t\":{},\"op\":{},\"call\":\"{}\"{}", now_us(), ++operations_, call,
                    with_comma(more)));
  return operations_;
}

void Client::end(std::uint64_t operation, const std::string& outcome, const std::string& more) {
  write(fmt::format("\"t\":{},\"op\":{},\"outcome\":\"{}\"{}", now_us(), operation, outcome,
                    with_comma(more)));
}

void Client::end_failed(std::uint64_t operation, const leat::Exception& exception,
                        const std::string& outcome) {
  std::string text = boost::json::serialize(boost::json::string(exception.what()));
  end(operation, outcome, fmt::format("\"error\":{},\"text\":{}", exception.code().value(), text));
}

int Client::assigned(const Offsets& from, bool is_committed, const std::string& group,
                     const std::string& more) {
  write(
      fmt::format("\"t\":{},\"call\":\"assign\",\"session\":{},\"committed\":{},\"final\":false,"
                  "\"from\":{}{}{}",
                  now_us(), ++sessions_, is_committed, triples(from),
                  group.empty() ? "" : fmt::format(",\"group\":\"{}\"", group), with_comma(more)));
  return sessions_;
}

void Client::polled(std::int64_t since, const std::map<leat::Partition, int>& sessions,
                    const std::vector<Read>& records, const std::string& more) {
  std::map<leat::Partition, std::string> of;
  for (const Read& record : records) {
    std::string& list = of[record.place];
    list += fmt::format("{}[{},\"{}\"]", list.empty() ? "" : ",", record.offset, record.uid);
  }
  for (const auto& [place, list] : of) {
    write(fmt::format(
        "\"t\":{},\"until\":{},\"call\":\"poll\",\"session\":{},\"topic\":\"{}\","
        "\"partition\":{},\"records\":[{}]{}",
        since, now_us(), sessions.at(place), place.topic, place.number, list, with_comma(more)));
  }
}

}  // namespace soak
