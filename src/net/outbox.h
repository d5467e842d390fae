// What is to be sent to a peer: bytes, and ranges of files that go from the page cache to the
// socket without passing through this process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"

namespace leat::net {

/// A range of an open file. `owner` keeps the descriptor open.
struct FileRange {
  std::shared_ptr<const void> owner;
  int descriptor = -1;
  std::uint64_t position = 0;
  std::uint64_t bytes = 0;
};

/// A queue of parts for one non-blocking stream socket, sent in order with as few system calls as
/// there can be.
class Outbox {
 public:
  void add(Bytes bytes);
  void add(FileRange range);
  /// Bytes of memory that somebody else owns and `owner` keeps alive.
  void add(std::shared_ptr<const void> owner, BytesView bytes);

  enum class State {
    empty,    // everything was sent
    blocked,  // the socket takes no more until its peer reads
    more,     // `bytes_max` were sent, and there is more
  };
  /// Sends about `bytes_max` at most: a peer that reads fast must not hold up others. Errors end
  /// the connection: Errc::connection_failed of the peer, Errc::io_error of the file.
  Result<State> send(int socket, std::uint64_t bytes_max);

  bool empty() const { return parts_.empty(); }
  /// Bytes not sent yet, and those of them that are in memory.
  std::uint64_t pending_bytes() const { return pending_bytes_; }
  std::uint64_t memory_bytes() const { return memory_bytes_; }
  /// Bytes sent since the beginning.
  std::uint64_t sent_bytes() const { return sent_bytes_; }

 private:
  struct Part {
    Bytes bytes;                        // owned here
    std::shared_ptr<const void> owner;  // of `view` or of the file
    BytesView view;                     // not yet sent; of `bytes` or of the owner
    int descriptor = -1;                // of a file range, else -1
    std::uint64_t position = 0;
    std::uint64_t length = 0;  // of the file range, not yet sent
  };
  /// What one system call did.
  enum class Step { sent, blocked };
  Result<Step> send_memory(int socket);
  Result<Step> send_file(int socket);
  void drop_sent(std::size_t bytes);

  std::deque<Part> parts_;
  std::uint64_t pending_bytes_ = 0;
  std::uint64_t memory_bytes_ = 0;
  std::uint64_t sent_bytes_ = 0;
};

}  // namespace leat::net
