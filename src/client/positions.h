// How far a consumer is in each of its partitions: where reading begins, what was given out, what
// of it is done, and what the group knows of that.
//
//   committed <= done <= given
//
// A commit never goes back, unless it is asked for by name, and is never of a partition that is not
// ours any more. Answers that belong to a partition as it was before it was taken away, and given
// again, change nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/group_member.h"
#include "client/topic_partitions.h"
#include "wire/error_code.h"
#include "wire/offset_commit.h"
#include "wire/offset_fetch.h"

namespace leat::client {

/// Not thread-safe. Without clock and sockets: whoever uses it sends the requests, one of a kind at
/// a time, and waits a little before he asks for another one after a failure.
class Positions {
 public:
  struct Place {
    std::string topic;
    std::int32_t partition = 0;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  struct Start {
    Place place;
    std::int64_t offset = 0;
    /// Of the record before; -1: not known.
    std::int32_t leader_epoch = -1;
  };
  struct LookUp {
    Place place;
    /// Or what stands for one in ListOffsets.
    std::int64_t timestamp = 0;
    std::uint64_t ticket = 0;
  };
  /// Why nothing can be read of a partition, or a commit of it was refused.
  struct Refusal {
    Place place;
    wire::ErrorCode code = wire::ErrorCode::none;
  };
  struct Outcome {
    /// It is worth while to try again.
    bool retry = false;
    /// What the coordinator said of the member, or of itself: for GroupMember::refused().
    std::optional<wire::ErrorCode> about_member;
    std::vector<Refusal> refused;
  };

  /// `reset` is the time, or what stands for one, at which reading begins where the group has
  /// committed nothing, or what is not there any more; nullopt: that is an error. `is_automatic`:
  /// all before where reading begins is done; if not, nothing is but what all_done() says.
  Positions(std::string group, std::optional<std::int64_t> reset, bool is_automatic = true);

  /// Ours from now on, from where the group is.
  void add(const Place& place);
  /// From `offset` on; the group is not asked.
  void add_at(const Place& place, std::int64_t offset);
  void remove(const Place& place);
  bool contains(const Place& place) const { return partitions_.contains(place); }

  // Where reading begins.

  /// Asks how far the group is, of partitions of which that is not known. nullopt: there are none,
  /// or an answer is still to come.
  std::optional<wire::OffsetFetchRequest> fetch_request();
  Outcome take(const wire::OffsetFetchResponse& response);
  void fetch_failed() { fetch_ticket_ = 0; }
  /// What is to be asked of the partitions' leaders. Each is told once.
  std::vector<LookUp> take_look_ups();
  /// -1: there is no record of that time or a later one.
  void looked_up(const LookUp& look_up, std::int64_t offset, std::int32_t leader_epoch);
  void look_up_failed(const LookUp& look_up);
  /// Where reading is to begin, of partitions of which that has become known. Each is told once.
  std::vector<Start> take_starts();
  /// False where that is an error: nobody has said where to go instead.
  bool out_of_range(const Place& place);
  /// The log has been cut: what it has of what was read ends at `offset`, in that epoch. Reading
  /// goes on there, or, if that was not given out yet, behind what was. False as above.
  bool cut_off(const Place& place, std::int64_t offset, std::int32_t leader_epoch);
  void seek(const Place& place, std::int64_t offset);
  void seek_to_time(const Place& place, std::int64_t timestamp);

  // What is read and done.

  /// Records before `next_offset` were given out; the last of them has that leader epoch.
  void given(const Place& place, std::int64_t next_offset, std::int32_t leader_epoch);
  /// All that was given out is done.
  void all_done();
  /// Of the record that is given out next; nullopt: not known yet, or not ours.
  std::optional<std::int64_t> position(const Place& place) const;

  // What the group is told.

  /// Commits what is done and not committed. nullopt: there is nothing, or an answer is to come.
  std::optional<wire::OffsetCommitRequest> commit_request(const MemberIdentity& identity);
  Outcome take(const wire::OffsetCommitResponse& response);
  void commit_failed() { commit_ticket_ = 0; }
  /// Commits that offset by the next request, whatever was committed or done. False if it is not
  /// ours.
  bool commit_at(const Place& place, std::int64_t offset, std::string metadata);
  /// Whether something of these partitions, or of any, is done and not committed.
  bool is_behind(const TopicPartitions& partitions) const;
  bool is_behind() const;
  std::optional<std::int64_t> committed(const Place& place) const;

 private:
  enum class Where { ask_group, ask_leader, known, told, unknown };
  struct Offset {
    std::int64_t value = -1;
    std::int32_t leader_epoch = -1;
    std::string metadata = {};
    bool operator==(const Offset&) const = default;
  };
  struct Partition {
    Where where = Where::ask_group;
    std::int64_t timestamp = 0;  // to be asked for
    std::uint64_t asked = 0;     // the ticket under which it was
    Offset given;
    Offset done;
    std::optional<std::int64_t> committed;
    std::int64_t refused = -1;     // for good
    std::optional<Offset> wanted;  // by name
    Offset sent;
    std::uint64_t committing = 0;  // the ticket
  };

  Partition* find(const Place& place);
  const Partition* find(const Place& place) const;
  static bool is_behind(const Partition& partition);
  void begin_at(Partition& partition, std::int64_t offset, std::int32_t leader_epoch);
  bool reset(Partition& partition);
  static void forget_committed(Partition& partition);
  void take_committed(const Place& place, const wire::OffsetFetchResponse::Partition& answer,
                      Outcome& outcome);

  std::string group_;
  std::optional<std::int64_t> reset_;
  bool is_automatic_;
  std::map<Place, Partition> partitions_;
  std::uint64_t last_ticket_ = 0;
  std::uint64_t fetch_ticket_ = 0;   // under way
  std::uint64_t commit_ticket_ = 0;  // under way
};

}  // namespace leat::client
