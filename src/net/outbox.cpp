#include "net/outbox.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace leat::net {

namespace {

// One sendmsg gathers up to so many parts.
constexpr std::size_t gather_max = 64;
// Parts of memory are joined up to this size.
constexpr std::size_t joined_bytes_max = 4 << 10;
// A file goes out in pieces of this size: the peer starts to read the first while the next is
// handed to the kernel.
constexpr std::uint64_t file_piece_bytes = 256 << 10;

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

std::string message(int error) {
  return std::generic_category().message(error);
}

}  // namespace

void Outbox::add(Bytes bytes) {
  if (bytes.empty()) return;
  pending_bytes_ += bytes.size();
  memory_bytes_ += bytes.size();
  if (!parts_.empty()) {
    // Many small answers become one part: copying them costs less than gathering them.
    Part& last = parts_.back();
    bool is_whole = !last.bytes.empty() && last.view.size() == last.bytes.size();
    if (is_whole && last.bytes.size() + bytes.size() <= joined_bytes_max) {
      last.bytes.insert(last.bytes.end(), bytes.begin(), bytes.end());
      last.view = last.bytes;
      return;
    }
  }
  Part part;
  part.bytes = std::move(bytes);
  part.view = part.bytes;
  parts_.push_back(std::move(part));
}

void Outbox::add(std::shared_ptr<const void> owner, BytesView bytes) {
  if (bytes.empty()) return;
  pending_bytes_ += bytes.size();
  memory_bytes_ += bytes.size();
  Part part;
  part.owner = std::move(owner);
  part.view = bytes;
  parts_.push_back(std::move(part));
}

void Outbox::add(FileRange range) {
  if (range.bytes == 0) return;
  pending_bytes_ += range.bytes;
  Part part;
  part.owner = std::move(range.owner);
  part.descriptor = range.descriptor;
  part.position = range.position;
  part.length = range.bytes;
  parts_.push_back(std::move(part));
}

Result<Outbox::State> Outbox::send(int socket, std::uint64_t bytes_max) {
  std::uint64_t stop_at = sent_bytes_ + bytes_max;
  while (!parts_.empty()) {
    if (sent_bytes_ >= stop_at) return State::more;
    Result<Step> step = parts_.front().descriptor < 0 ? send_memory(socket) : send_file(socket);
    if (!step) return fail(step);
    if (*step == Step::blocked) return State::blocked;
  }
  return State::empty;
}

Result<Outbox::Step> Outbox::send_memory(int socket) {
  iovec pieces[gather_max];
  std::size_t count = 0;
  while (count < std::min(gather_max, parts_.size()) && parts_[count].descriptor < 0) {
    BytesView view = parts_[count].view;
    pieces[count] = {const_cast<std::byte*>(view.data()), view.size()};
    ++count;
  }
  msghdr message_header{};
  message_header.msg_iov = pieces;
  message_header.msg_iovlen = count;
  // What goes before a file waits for the file's first bytes, so that both leave in one packet.
  int flags = MSG_NOSIGNAL | (count < parts_.size() ? MSG_MORE : 0);
  ssize_t sent = ::sendmsg(socket, &message_header, flags);
  if (sent < 0 && errno == EINTR) return Step::sent;
  if (sent < 0 && would_block(errno)) return Step::blocked;
  if (sent < 0) return fail(Errc::connection_failed, "cannot send: " + message(errno));
  drop_sent(static_cast<std::size_t>(sent));
  return Step::sent;
}

void Outbox::drop_sent(std::size_t bytes) {
  pending_bytes_ -= bytes;
  memory_bytes_ -= bytes;
  sent_bytes_ += bytes;
  while (bytes > 0) {
    Part& part = parts_.front();
    std::size_t of_part = std::min(bytes, part.view.size());
    part.view = part.view.subspan(of_part);
    bytes -= of_part;
    if (part.view.empty()) parts_.pop_front();
  }
}

Result<Outbox::Step> Outbox::send_file(int socket) {
  Part& part = parts_.front();
  auto position = static_cast<off_t>(part.position);
  auto piece = static_cast<std::size_t>(std::min(part.length, file_piece_bytes));
  ssize_t sent = ::sendfile(socket, part.descriptor, &position, piece);
  if (sent < 0 && errno == EINTR) return Step::sent;
  if (sent < 0 && would_block(errno)) return Step::blocked;
  if (sent < 0 && (errno == EIO || errno == EBADF || errno == EINVAL))
    return fail(Errc::io_error, "cannot send from a file: " + message(errno));
  if (sent < 0) return fail(Errc::connection_failed, "cannot send: " + message(errno));
  if (sent == 0) return fail(Errc::io_error, "a file ends before the range to be sent");
  auto bytes = static_cast<std::uint64_t>(sent);
  part.position += bytes;
  part.length -= bytes;
  pending_bytes_ -= bytes;
  sent_bytes_ += bytes;
  if (part.length == 0) parts_.pop_front();
  return Step::sent;
}

}  // namespace leat::net
