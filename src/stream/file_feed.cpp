#include "stream/file_feed.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "column/json_index.h"

namespace leat::stream {

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

// Where a line of CSV ends, or npos. A quote opens a field only where one begins.
std::size_t csv_line_end(std::string_view text) {
  std::size_t end = text.find('\n');
  if (text.substr(0, end).find('"') == text.npos) return end;
  bool inside = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '\n' && !inside) return at;
    if (c != '"') continue;
    if (!inside) {
      inside = at == 0 || text[at - 1] == ',';
    } else if (at + 1 < text.size() && text[at + 1] == '"') {
      ++at;
    } else {
      inside = false;
    }
  }
  return text.npos;
}

}  // namespace

void FileFeed::seek(Offset next) {
  next_offset_ = next;
  if (next >= line_) return;
  file_ = nullptr;
  buffer_ = nullptr;
  bytes_ = {};
  begin_ = 0;
  line_ = Offset{0};
}

void FileFeed::hold_in(std::vector<column::Buffer>* buffers) {
  held_ = buffers;
  if (held_ != nullptr && buffer_) held_->push_back({buffer_});
}

bool FileFeed::finished() const {
  if (end_ && next_offset_ >= *end_) return true;
  return at_end() && begin_ == bytes_.size();
}

Result<void> FileFeed::open() {
  auto file = files_.open(path_, file::OpenMode::read);
  if (!file) return fail(file);
  auto size = (*file)->size();
  if (!size) return fail(size);
  file_ = std::move(*file);
  file_bytes_ = *size;
  read_bytes_ = 0;
  begun_ = ended_ = false;
  gunzip_ = nullptr;
  damage_.reset();
  std::byte begin[2];
  auto read = file_->read_at(0, begin);
  if (!read) return fail(read);
  if (file::Gunzip::is_gzip(BytesView(begin).first(*read))) {
    gunzip_ = std::make_unique<file::Gunzip>();
  }
  return {};
}

// Of what the file has, however it is packed.
Result<std::size_t> FileFeed::read_file(MutableBytes into) {
  auto size =
      static_cast<std::size_t>(std::min<std::uint64_t>(file_bytes_ - read_bytes_, into.size()));
  auto read = file_->read_at(read_bytes_, into.first(size));
  if (!read) return read;
  if (*read < size) file_bytes_ = read_bytes_ + *read;  // somebody made it shorter
  read_bytes_ += *read;
  return read;
}

// Fills `into`; with fewer bytes where the text ends, or is damaged: lines before that are given.
Result<std::size_t> FileFeed::read(MutableBytes into) {
  if (gunzip_ == nullptr) {
    auto read = read_file(into);
    ended_ = read_bytes_ == file_bytes_;
    return read;
  }
  if (damage_) return tl::unexpected(*damage_);
  std::size_t size = 0;
  while (size < into.size() && !ended_) {
    auto some = gunzip_->read(into.subspan(size),
                              [this](MutableBytes packed) { return read_file(packed); });
    if (!some) {
      damage_ = Error{some.error().code, fmt::format("{}: {}", path_, some.error().what)};
      if (size == 0) return tl::unexpected(*damage_);
      break;
    }
    ended_ = *some == 0;
    size += *some;
  }
  return size;
}

// Reads on behind what is at hand, which goes to the begin of a new buffer.
Result<void> FileFeed::read_block() {
  std::string_view rest = at_hand();
  if (rest.size() > options_.line_bytes_max) {
    return fail(Errc::malformed, fmt::format("line {} of {} is longer than {} MiB", line_.value(),
                                             path_, options_.line_bytes_max >> 20));
  }
  // As much again as the begin of a line that does not fit has, so that nothing is read often.
  std::uint64_t left = gunzip_ ? std::numeric_limits<std::uint64_t>::max()  // nobody knows
                               : file_bytes_ - read_bytes_;
  auto more = static_cast<std::size_t>(std::min<std::uint64_t>(
      left, std::max({options_.block_bytes, rest.size(), byte_order_mark.size()})));
  auto buffer = buffers_.take();
  MutableBytes room = buffer->room(rest.size() + more + column::json_padding_bytes);
  std::copy(rest.begin(), rest.end(), reinterpret_cast<char*>(room.data()));  // it may be none
  std::memset(room.data() + rest.size() + more, 0, column::json_padding_bytes);
  auto size = read(room.subspan(rest.size(), more));
  if (!size) return fail(size);
  bytes_ = room.first(rest.size() + *size);
  begin_ = 0;
  if (!std::exchange(begun_, true) && as_text(bytes_).starts_with(byte_order_mark)) {
    begin_ = byte_order_mark.size();
  }
  buffer_ = std::move(buffer);
  if (held_ != nullptr) held_->push_back({buffer_});
  return {};
}

// Where the next line ends within what is at hand, or npos.
std::size_t FileFeed::line_end() const {
  std::string_view text = at_hand();
  std::size_t end = options_.csv ? csv_line_end(text) : text.find('\n');
  if (end == text.npos && at_end() && !text.empty()) end = text.size();
  return end;
}

Result<bool> FileFeed::fill() {
  if (!file_) {
    if (auto ok = open(); !ok) return fail(ok);
  }
  while (!finished()) {
    if (line_end() != std::string_view::npos) return true;
    if (auto ok = read_block(); !ok) return fail(ok);
  }
  return false;
}

bool FileFeed::is_skipped(std::string_view line) const {
  switch (options_.blank) {
    case Options::Blank::given: return false;
    case Options::Blank::empty_skipped: return line.empty();
    case Options::Blank::skipped: return line.find_first_not_of(" \t\r") == line.npos;
  }
  return false;
}

const record::Record* FileFeed::next() {
  while (!finished()) {
    std::size_t end = line_end();
    if (end == std::string_view::npos) return nullptr;
    std::string_view line = at_hand().substr(0, end);
    begin_ = std::min(begin_ + end + 1, bytes_.size());
    record_.offset = line_;
    line_ = line_ + 1;
    if (record_.offset < next_offset_) continue;
    if (line.ends_with('\r')) line.remove_suffix(1);
    next_offset_ = line_;
    if (is_skipped(line)) continue;
    record_.value = as_bytes(line);
    return &record_;
  }
  return nullptr;
}

}  // namespace leat::stream
