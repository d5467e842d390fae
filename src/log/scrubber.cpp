#include "log/scrubber.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/logging.h"
#include "log/journal_entry.h"
#include "log/scan_buffer.h"
#include "log/seal.h"

namespace leat::log {
namespace {

constexpr std::uint64_t piece_bytes = std::uint64_t{1} << 20;
constexpr std::chrono::hours round_interval{24};
/// A server that has just started has better things to read.
constexpr std::chrono::minutes first_delay{1};

}  // namespace

/// A segment under way; owns all that it touches, since it may outlive the store.
struct Scrubber::Piece {
  Piece(file::FileSystem& file_system, std::shared_ptr<const Segment> of)
      : files(file_system),
        segment(std::move(of)),
        at{segment->base_offset(), 0},
        end(segment->end()) {}

  file::FileSystem& files;
  std::shared_ptr<const Segment> segment;
  Place at;
  Place end;
  Checksum hash;
  std::uint64_t bytes = 0;  // of the last step
  std::uint64_t findings = 0;
  Result<void> result;

  bool is_done() const { return !result || at.position >= end.position; }

  void step() {
    Place begin = at;
    std::size_t known = segment->damage().size();
    Result<Place> next = segment->check_again(at, piece_bytes, end);
    findings = segment->damage().size() - known;
    if (!next) {
      result = fail(next);
      return;
    }
    at = *next;
    bytes = at.position - begin.position;
    result = add_to_hash(begin.position);
    if (result && is_done() && segment->damage().empty()) result = compare_seal();
  }

  Result<void> add_to_hash(std::uint64_t from) {
    Result<file::FilePtr> file = segment->file();
    if (!file) return fail(file);
    ScanBuffer buffer;
    buffer.reserve(piece_bytes);
    while (from < at.position) {
      MutableBytes into = buffer.bytes().first(std::min(piece_bytes, at.position - from));
      Result<std::size_t> got = (*file)->read_at(from, into);
      if (!got) return fail(got);
      if (*got == 0) break;
      hash.add(into.first(*got));
      from += *got;
    }
    return {};
  }

  Result<void> compare_seal() {
    std::string path = with_suffix(segment->path(), ".seal");
    Result<Bytes> bytes_there = file::read_file(files, path);
    Result<Seal> seal = bytes_there ? decode_seal(*bytes_there) : Result<Seal>(fail(bytes_there));
    // What is not there any more was retired meanwhile, or is made again by the next start.
    if (!seal && seal.error().code == Errc::not_found) return {};
    if (seal && seal->bytes == end.position && seal->next_offset == end.offset &&
        seal->hash == hash.digest()) {
      return {};
    }
    ++findings;
    log_error("{}: the segment is not what was sealed{}{}", segment->path(), seal ? "" : ": ",
              seal ? "" : seal.error().what);
    return {};
  }
};

Scrubber::Scrubber(StoreContext& context, List list) : context_(context), list_(std::move(list)) {}

Scrubber::~Scrubber() {
  if (timer_ != 0) context_.executor.cancel(timer_);
}

void Scrubber::arm(std::chrono::nanoseconds delay) {
  timer_ = context_.executor.after(delay, context_.guarded([this] {
    timer_ = 0;
    if (!piece_ && round_.empty()) {
      start_round();
    } else {
      next_piece();
    }
  }));
}

void Scrubber::sealed() {
  if (context_.options.scrub_bytes_per_second == 0 || timer_ != 0 || piece_) return;
  arm(first_delay);
}

void Scrubber::start_round() {
  bytes_left_ = 0;
  for (const std::shared_ptr<const Segment>& segment : list_()) {
    round_.push_back(segment);
    bytes_left_ += segment->bytes();
  }
  // With none left it sleeps until one is sealed.
  if (!round_.empty()) next_piece();
}

void Scrubber::next_piece() {
  while (!piece_ && !round_.empty()) {
    std::shared_ptr<const Segment> segment = round_.front().lock();
    round_.pop_front();
    if (segment) piece_ = std::make_shared<Piece>(context_.files, std::move(segment));
  }
  if (!piece_) {
    end_round();
    return;
  }
  context_.metrics.scrub_bytes_left.set(static_cast<std::int64_t>(bytes_left_));
  auto job = [piece = piece_] { piece->step(); };
  context_.files.offload(std::move(job), context_.executor,
                         context_.guarded([this, piece = piece_] { finished(*piece); }));
}

void Scrubber::finished(const Piece& piece) {
  context_.metrics.scrub_bytes.add(piece.bytes);
  context_.metrics.scrub_findings.add(piece.findings);
  bytes_left_ -= std::min(bytes_left_, piece.bytes);
  std::uint64_t bytes = std::max<std::uint64_t>(1, piece.bytes);
  if (!piece.result) {
    // Retention may have removed it; a disk that cannot be read tells every reader.
    log_debug("{}: not checked again: {}", piece.segment->path(), piece.result.error().what);
  }
  if (piece.is_done()) piece_ = nullptr;
  if (!piece_ && round_.empty()) {
    end_round();
    return;
  }
  double seconds =
      static_cast<double>(bytes) / static_cast<double>(context_.options.scrub_bytes_per_second);
  arm(std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9)));
}

void Scrubber::end_round() {
  context_.metrics.scrub_bytes_left.set(0);
  context_.metrics.scrub_rounds.add();
  arm(round_interval);
}

}  // namespace leat::log
