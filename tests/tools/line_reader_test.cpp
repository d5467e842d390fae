#include "tools/line_reader.h"

#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include <doctest/doctest.h>

#include "tools/record_json.h"

namespace leat::tools {
namespace {

/// A file that goes away again.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    int fd = mkstemp(path_);
    REQUIRE(fd >= 0);
    REQUIRE(write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
    close(fd);
  }
  ~TemporaryFile() { unlink(path_); }
  std::string path() const { return path_; }

 private:
  char path_[32] = "/tmp/leat-lines-XXXXXX";
};

std::string gzip(const std::string& text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(text.size() + 1024, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// All lines of a file with that content; the last one is "error" if reading ended so.
std::vector<std::string> lines(const std::string& content) {
  TemporaryFile file(content);
  auto reader = LineReader::open(file.path(), -1);
  REQUIRE(reader);
  std::vector<std::string> all;
  while (true) {
    auto line = reader->next();
    if (!line) all.push_back("error");
    if (!line || !*line) return all;
    // What stands behind a line must be readable, for those who read ahead.
    volatile char last = (*line)->data()[(*line)->size() + json_padding_bytes - 1];
    (void)last;
    all.emplace_back(**line);
    CHECK(reader->line_number() == std::ssize(all));
  }
}

using Lines = std::vector<std::string>;

TEST_SUITE_BEGIN("tools");

TEST_CASE("a line ends with a line end, or with the file") {
  CHECK(lines("") == Lines{});
  CHECK(lines("a\nb\n") == Lines{"a", "b"});
  CHECK(lines("a\nb") == Lines{"a", "b"});
  CHECK(lines("\n\na\r\n") == Lines{"", "", "a\r"});
}

TEST_CASE("a line may be longer than what is read at once") {
  std::string text(1'000'000, 'x');
  CHECK(lines("a\n" + text + "\nb\n") == Lines{"a", text, "b"});
}

TEST_CASE("gzip is unpacked, whatever the file is called and however many members it has") {
  CHECK(lines(gzip("a\nb\n")) == Lines{"a", "b"});
  CHECK(lines(gzip("a\nb") + gzip("c\nd")) == Lines{"a", "bc", "d"});
  CHECK(lines(gzip("")) == Lines{});
  std::string text(3'000'000, 'x');
  CHECK(lines(gzip(text + "\ny")) == Lines{text, "y"});
}

TEST_CASE("a gzip file that is cut short or broken is an error") {
  std::string packed = gzip("a\nb\n");
  CHECK(lines(packed.substr(0, packed.size() - 4)).back() == "error");
  packed[packed.size() - 6] ^= 1;
  CHECK(lines(packed).back() == "error");
}

TEST_CASE("a file that is not there is an error that names it") {
  auto reader = LineReader::open("/nonexistent/lines", -1);
  REQUIRE_FALSE(reader);
  CHECK(reader.error().what.find("/nonexistent/lines") != std::string::npos);
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::tools
