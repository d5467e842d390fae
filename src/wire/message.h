// What a Kafka message is here, and how it becomes bytes and comes back.
//
// A message is a plain struct that names its fields, in wire order, in one place:
//
//   struct HeartbeatRequest {
//     static constexpr ApiKey key = ApiKey::heartbeat;
//     static constexpr Versions valid{0, 4};
//     static constexpr Versions flexible = since(4);
//     using Response = HeartbeatResponse;
//     std::string group_id;
//     std::optional<std::string> group_instance_id;
//     static void fields(auto& m, auto& v) {
//       v("group_id", m.group_id);
//       v("group_instance_id", m.group_instance_id, since(3));
//     }
//   };
//
// - A field outside its versions is neither written nor read: it keeps its member initialiser.
// - std::optional is a nullable field. Where it may be null in some versions only, these follow as
//   a fourth argument: elsewhere a null is malformed when read, and written as empty.
// - `v.tagged(tag, name, field, versions)`, in rising order of tags, is a tagged field. It is
//   written when it is not empty (optional, vector) or not T{}. A tagged optional is present or
//   absent, never null.
// - Structs nest; their `fields` see the version and the flexibility of the whole message.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/versions.h"

namespace leat::wire {

/// A message or a struct in one.
struct AnyVisitor {
  void operator()(auto&&...) {}
  void tagged(auto&&...) {}
};
template <class T>
concept HasFields = requires(T& value, AnyVisitor& visitor) {
  T::fields(value, visitor);
};

/// Encoded bytes, with holes where records come from elsewhere. In the order of sending: run(0),
/// hole 0, run(1), hole 1, …, the last run.
struct Encoded {
  struct Hole {
    std::size_t position;  // in `bytes`: what is in the hole goes before this byte
    std::size_t size;
  };

  Bytes bytes;
  std::vector<Hole> holes;  // one for each Records::elsewhere, in wire order

  /// All that is sent, holes included.
  std::size_t size() const {
    std::size_t size = bytes.size();
    for (const Hole& hole : holes) size += hole.size;
    return size;
  }
  /// The bytes before hole `i`; with i = holes.size(), those behind the last one.
  BytesView run(std::size_t i) const {
    std::size_t from = i == 0 ? 0 : holes[i - 1].position;
    std::size_t end = i == holes.size() ? bytes.size() : holes[i].position;
    return BytesView(bytes).subspan(from, end - from);
  }
};

/// The codec of message M. Only declared here: the source file of M's API instantiates it, so that
/// whoever includes a message does not compile its codec. Stateless, any thread.
template <class M>
struct Codec {
  /// The message that `bytes` holds, without its header. What is behind a request is ignored, a
  /// response must be all there is. Errors: malformed, unsupported_version. Records in the result
  /// point into `bytes`.
  static Result<M> decode(BytesView bytes, Version version);
  /// Appends `message` to `out`. Errors: unsupported_version, and invalid_argument for what the
  /// wire cannot carry, such as a string of more than 32767 bytes; then `out` is in no state.
  static Result<void> encode(const M& message, Version version, Encoded& out);
  /// One line for logs: names and values, long arrays cut short, byte strings as their size only.
  static std::string print(const M& message, Version version);
};

}  // namespace leat::wire
