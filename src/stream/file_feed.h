// The lines of a file as records.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "file/file.h"
#include "file/gunzip.h"
#include "stream/read_buffers.h"
#include "stream/record_feed.h"

namespace leat::stream {

/// A line's number, from 0, is its record's offset, and there is neither key nor timestamp. Lines
/// end in LF or CRLF, the last one also where the file ends; those of CSV go on within quotes. A
/// file that is gzip is unpacked; what is before damage in it is given before the error. What is
/// appended to a file that is being read is not read. Memory: the blocks that rows hold, a longest
/// line at least.
class FileFeed final : public RecordFeed {
 public:
  struct Options {
    /// Line ends within quotes belong to the line.
    bool csv = false;
    std::size_t block_bytes = 256 * 1024;
    std::size_t line_bytes_max = 64 << 20;
    /// Which lines have a number and are no records: none, empty ones, those of white space alone.
    enum class Blank { given, empty_skipped, skipped };
    Blank blank = Blank::given;
  };
  FileFeed(file::FileSystem& files, std::string path, const Options& options)
      : files_(files), path_(std::move(path)), options_(options) {}

  /// Lines before `next` are read over.
  void seek(Offset next) override;
  void set_end(std::optional<Offset> end) override { end_ = end; }
  Result<bool> fill() override;
  const record::Record* next() override;
  const Error* error() const override { return nullptr; }
  void hold_in(std::vector<column::Buffer>* buffers) override;
  Offset position() const override { return next_offset_; }
  bool finished() const override;

 private:
  bool at_end() const { return file_ && ended_; }
  std::string_view at_hand() const { return as_text(bytes_).substr(begin_); }
  Result<void> open();
  Result<void> read_block();
  Result<std::size_t> read(MutableBytes into);
  Result<std::size_t> read_file(MutableBytes into);
  std::size_t line_end() const;
  bool is_skipped(std::string_view line) const;

  file::FileSystem& files_;
  const std::string path_;
  const Options options_;
  std::optional<Offset> end_;
  Offset next_offset_;  // the first that is wanted
  file::FilePtr file_;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t read_bytes_ = 0;  // of them
  std::unique_ptr<file::Gunzip> gunzip_;
  std::optional<Error> damage_;  // behind what was read of the text
  bool begun_ = false;           // something was read of the text
  bool ended_ = false;           // and all of it
  ReadBuffers buffers_;
  std::shared_ptr<ReadBuffer> buffer_;
  BytesView bytes_;        // of the file, in buffer_
  std::size_t begin_ = 0;  // of the next line, in bytes_
  Offset line_;            // its number
  record::Record record_;
  std::vector<column::Buffer>* held_ = nullptr;
};

}  // namespace leat::stream
