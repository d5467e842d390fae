// Fetching and nothing else: the floor of what consuming can cost.
#pragma once

#include <poll.h>

#include <algorithm>
#include <memory>
#include <string>

#include "client/fetch_plan.h"
#include "raw_client.h"
#include "wire/frame.h"

namespace leat::bench {

/// Receives what comes in large parts: woken only when that much is there.
class PatientSocket {
 public:
  explicit PatientSocket(const net::Address& address) : socket_(connect_to(address)) {}
  ~PatientSocket() { ::close(socket_); }
  PatientSocket(const PatientSocket&) = delete;
  PatientSocket& operator=(const PatientSocket&) = delete;

  void send(BytesView bytes) const { send_all(socket_, bytes); }
  void receive(MutableBytes into) {
    while (!into.empty()) {
      ssize_t got = ::recv(socket_, into.data(), into.size(), MSG_DONTWAIT);
      ASSERT(got > 0 || (got < 0 && errno == EAGAIN));
      if (got > 0) {
        into = into.subspan(static_cast<std::size_t>(got));
        continue;
      }
      wake_when_there(std::min(into.size(), part_bytes));
      pollfd ready{socket_, POLLIN, 0};
      ASSERT(::poll(&ready, 1, -1) == 1);
    }
  }

 private:
  static constexpr std::size_t part_bytes = 256 << 10;

  void wake_when_there(std::size_t bytes) {
    if (bytes == wake_bytes_) return;
    int value = static_cast<int>(wake_bytes_ = bytes);
    ASSERT(::setsockopt(socket_, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value) == 0);
  }

  int socket_;
  std::size_t wake_bytes_ = 1;
};

/// Fetches that many records of a topic, which begins at offset 0 in each of its partitions, into
/// memory that is warm, one request after the other. The offsets' number as they came.
inline std::int64_t fetch_only(const net::Address& address, const std::string& topic,
                               std::size_t partitions, std::int64_t records) {
  constexpr wire::Version version = 12;
  PatientSocket socket(address);
  ConsumerOptions options;
  client::FetchPlan plan(options);
  for (std::size_t p = 0; p < partitions; ++p)
    plan.add({.topic = topic, .partition = static_cast<std::int32_t>(p), .begin = 0});
  auto leader_of = [](std::string_view, std::int32_t) {
    return std::optional<client::FetchPlan::Leader>({.broker = 0, .epoch = -1});
  };
  constexpr std::size_t answer_bytes_max = 64 << 20;
  auto memory = std::make_unique_for_overwrite<std::byte[]>(answer_bytes_max);
  std::int64_t fetched = 0;
  while (fetched < records) {
    client::FetchPlan::Asked asked = plan.ask(0, leader_of);
    wire::RequestHeader header{.key = {}, .version = version, .correlation_id = 1, .client_id = {}};
    socket.send(wire::encode_request(asked.request, header)->bytes);
    std::array<std::byte, wire::frame_size_bytes> prefix{};
    socket.receive(prefix);
    MutableBytes frame(memory.get(), *wire::parse_frame_size(prefix, answer_bytes_max));
    socket.receive(frame);
    auto response =
        wire::decode_response<wire::FetchResponse>(*wire::parse_response(frame), version);
    auto outcome = plan.take_answer(asked.ticket, *response, nullptr, "");
    ASSERT(!outcome.error);
    for (const client::Fetched& part : outcome.fetched) fetched += part.end - part.begin;
  }
  return fetched;
}

}  // namespace leat::bench
