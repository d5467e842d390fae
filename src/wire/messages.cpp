#include "wire/messages.h"

#include "wire/codec.h"

namespace leat::wire {

std::string print_request(const RequestFrame& frame) {
  const RequestHeader& header = frame.header;
  std::string text = describe_message(header.key, true, header.version) + " of unknown content";
  Requests::for_each([&]<class Request>() {
    if (Request::key != header.key) return;
    Result<Request> request = decode_request<Request>(frame);
    text = request ? Codec<Request>::print(*request, header.version) : request.error().what;
  });
  return text;
}

}  // namespace leat::wire
