// Frames that real clients sent. A file in golden/ says in its first line which client it was, in
// its second what the frame says, as "client_id correlation_id text", and then holds its bytes.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "repository.h"
#include "wire/messages.h"

TEST_SUITE_BEGIN("wire");

using namespace leat;
using namespace leat::wire;

namespace {

struct Golden {
  std::string client;
  std::string text;
  Bytes frame;
};

Golden read_golden(const std::filesystem::path& path) {
  std::ifstream in(path);
  Golden golden;
  std::getline(in, golden.client);
  std::getline(in, golden.text);
  for (std::string line; std::getline(in, line);) {
    REQUIRE(line.size() % 2 == 0);
    for (std::size_t i = 0; i < line.size(); i += 2) {
      golden.frame.push_back(static_cast<std::byte>(std::stoi(line.substr(i, 2), nullptr, 16)));
    }
  }
  return golden;
}

template <class Request>
void check_request(const RequestFrame& frame, const Golden& golden) {
  Result<Request> request = decode_request<Request>(frame);
  REQUIRE(request);
  Result<Encoded> again = encode_request(*request, frame.header);
  REQUIRE(again);
  CHECK(again->bytes == golden.frame);
}

void check_golden(const Golden& golden) {
  CHECK(!golden.client.empty());
  REQUIRE(golden.frame.size() > frame_size_bytes);
  BytesView bytes = golden.frame;
  Result<std::size_t> size = parse_frame_size(bytes, 1'000'000);
  REQUIRE(size);
  REQUIRE(*size == bytes.size() - frame_size_bytes);
  Result<RequestFrame> frame = parse_request(bytes.subspan(frame_size_bytes));
  REQUIRE(frame);
  const RequestHeader& header = frame->header;
  REQUIRE(header.client_id);
  CHECK(std::string(*header.client_id) + " " + std::to_string(header.correlation_id) + " " +
            print_request(*frame) ==
        golden.text);
  bool known = false;
  Requests::for_each([&]<class Request>() {
    if (Request::key != header.key) return;
    check_request<Request>(*frame, golden);
    known = true;
  });
  CHECK(known);
}

}  // namespace

TEST_CASE("what real clients sent is understood, and written again byte for byte") {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(repository_path("tests/wire/golden"))) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  CHECK(paths.size() >= 47);
  for (const std::filesystem::path& path : paths) {
    CAPTURE(path.filename().string());
    check_golden(read_golden(path));
  }
}

TEST_SUITE_END();
