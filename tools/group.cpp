// leat group: lists, describes, moves and deletes consumer groups.
#include <unistd.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/clock.h"
#include "leat/blocking.h"
#include "tools/commands.h"
#include "tools/connect.h"
#include "tools/group_lag.h"
#include "tools/output.h"
#include "tools/record_json.h"
#include "tools/table.h"
#include "tools/topic_parts.h"

namespace leat::tools {

namespace {

struct GroupOptions {
  std::string brokers = default_brokers;
  std::string format = "text";
  std::string group;
  std::string to;
  std::optional<std::string> topic;
  bool yes = false;
  bool json() const { return format == "json"; }
};

void append_field(std::string& json, const char* name, const std::string& value) {
  if (json.back() != '{') json += ',';
  json += fmt::format("\"{}\":", name);
  append_json_text(json, value);
}

void append_field(std::string& json, const char* name, const std::optional<std::int64_t>& value) {
  if (json.back() != '{') json += ',';
  json += value ? fmt::format("\"{}\":{}", name, *value) : fmt::format("\"{}\":null", name);
}

std::string number_or_dash(const std::optional<std::int64_t>& value) {
  return value ? std::to_string(*value) : "-";
}

int list(const GroupOptions& options, blocking::Admin& admin) {
  std::vector<GroupListing> groups = admin.list_groups();
  Output output;
  Table table({"GROUP", "STATE", "PROTOCOL"});
  std::string json = "[";
  for (const GroupListing& group : groups) {
    table.add({group.id, group.state.empty() ? "-" : group.state,
               group.protocol_type.empty() ? "-" : group.protocol_type});
    json += json.size() > 1 ? ",{" : "{";
    append_field(json, "group", group.id);
    append_field(json, "state", group.state);
    append_field(json, "protocol", group.protocol_type);
    json += '}';
  }
  output.print(options.json() ? json + "]\n" : table.to_string());
  return exit_ok;
}

std::string to_text(const GroupDescription& group, const std::vector<PartitionLag>& lags) {
  std::string out = fmt::format("group {}: {}, {} member{}{}\n", group.id, group.state,
                                group.members.size(), group.members.size() == 1 ? "" : "s",
                                group.protocol.empty() ? "" : ", protocol " + group.protocol);
  if (!lags.empty()) {
    Table table({"TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "BEHIND", "MEMBER"});
    for (const PartitionLag& lag : lags) {
      table.add({lag.topic, std::to_string(lag.partition), number_or_dash(lag.committed),
                 number_or_dash(lag.end), number_or_dash(lag.records()),
                 lag.behind_ms ? describe_duration(*lag.behind_ms) : "-",
                 lag.member_id.empty() ? "-" : lag.member_id});
    }
    out += "\n" + table.to_string();
  }
  if (group.members.empty()) return out;
  Table members({"MEMBER", "CLIENT", "HOST", "PARTITIONS"});
  for (const MemberDescription& member : group.members) {
    members.add({member.id, member.client_id.empty() ? "-" : member.client_id, member.client_host,
                 std::to_string(member.assignment.size())});
  }
  return out + "\n" + members.to_string();
}

std::string to_json(const GroupDescription& group, const std::vector<PartitionLag>& lags) {
  std::string json = "{";
  append_field(json, "group", group.id);
  append_field(json, "state", group.state);
  append_field(json, "protocol", group.protocol);
  json += ",\"partitions\":[";
  for (const PartitionLag& lag : lags) {
    json += json.back() == '[' ? "{" : ",{";
    append_field(json, "topic", lag.topic);
    append_field(json, "partition", lag.partition);
    append_field(json, "committed", lag.committed);
    append_field(json, "end", lag.end);
    append_field(json, "lag", lag.records());
    append_field(json, "behind_ms", lag.behind_ms);
    append_field(json, "member", lag.member_id);
    json += '}';
  }
  json += "],\"members\":[";
  for (const MemberDescription& member : group.members) {
    json += json.back() == '[' ? "{" : ",{";
    append_field(json, "member", member.id);
    append_field(json, "client", member.client_id);
    append_field(json, "host", member.client_host);
    json += '}';
  }
  return json + "]}\n";
}

int describe(const GroupOptions& options, blocking::Admin& admin) {
  GroupDescription group = admin.describe_group(options.group);
  ClientOptions connect = client_options(options.brokers);
  std::vector<PartitionLag> lags = find_lag(admin, connect, group, SystemClock().wall_ms());
  Output output;
  output.print(options.json() ? to_json(group, lags) : to_text(group, lags));
  return exit_ok;
}

/// One partition that is to be read from elsewhere.
struct Move {
  std::string topic;
  std::int32_t partition = 0;
  std::optional<std::int64_t> from;
  std::int64_t to = 0;
};

Result<std::vector<Move>> plan_moves(const GroupOptions& options, blocking::Admin& admin) {
  if (options.to.empty()) {
    return fail(Errc::invalid_argument, "--to is missing: start, end, N, -N, +N or @TIME");
  }
  auto position = Position::parse(options.to, SystemClock().wall_ms());
  if (!position) return fail(position);
  std::vector<CommittedOffset> offsets = admin.group_offsets(options.group);
  std::vector<std::string> topics;
  if (options.topic) topics.push_back(*options.topic);
  for (const CommittedOffset& offset : offsets) {
    bool is_new = topics.empty() || topics.back() != offset.partition.topic;
    if (!options.topic && is_new) topics.push_back(offset.partition.topic);
  }
  if (topics.empty()) {
    return fail(Errc::not_found, fmt::format("group {} has committed nothing; --topic says what it "
                                             "is to read",
                                             options.group));
  }
  std::vector<Move> moves;
  for (const std::string& topic : topics) {
    TopicQuery query;
    query.topic = topic;
    query.range.begin = *position;
    auto parts = find_parts(admin, query);
    if (!parts) return fail(parts);
    for (const TopicPart& part : *parts) {
      Move move{topic, part.partition, std::nullopt, part.range.begin};
      for (const CommittedOffset& offset : offsets)
        if (offset.partition == Partition{topic, part.partition}) move.from = offset.offset;
      moves.push_back(std::move(move));
    }
  }
  return moves;
}

std::string to_text(const std::vector<Move>& moves) {
  Table table({"TOPIC", "PARTITION", "FROM", "TO", "CHANGE"});
  for (const Move& move : moves) {
    std::string change = move.from ? fmt::format("{:+}", move.to - *move.from) : "new";
    table.add({move.topic, std::to_string(move.partition), number_or_dash(move.from),
               std::to_string(move.to), change});
  }
  return table.to_string();
}

std::string to_json(const std::vector<Move>& moves) {
  std::string json = "[";
  for (const Move& move : moves) {
    json += json.size() > 1 ? ",{" : "{";
    append_field(json, "topic", move.topic);
    append_field(json, "partition", move.partition);
    append_field(json, "from", move.from);
    append_field(json, "to", move.to);
    json += '}';
  }
  return json + "]\n";
}

/// Whether the user, who has seen the plan, wants it carried out.
bool is_confirmed(const GroupOptions& options) {
  if (options.yes) return true;
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0) {
    complain("nothing is changed; --yes does it");
    return false;
  }
  std::cerr << fmt::format("Move group {}? [y/N] ", options.group) << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

/// None where there is no such group.
std::size_t count_members(const std::string& group, blocking::Admin& admin) {
  try {
    return admin.describe_group(group).members.size();
  } catch (const Exception& failed) {
    if (failed.code() != KafkaError::group_id_not_found) throw;
    return 0;
  }
}

int seek(const GroupOptions& options, blocking::Admin& admin) {
  auto moves = plan_moves(options, admin);
  if (!moves) return fail_command(moves.error());
  {
    Output output;
    output.print(options.json() ? to_json(*moves) : to_text(*moves));
  }
  if (std::size_t members = count_members(options.group, admin); members > 0) {
    return fail_command(
        {Errc::broker_error,
         fmt::format("group {} has {} member{}, and only they can move it: stop them first",
                     options.group, members, members == 1 ? "" : "s")});
  }
  if (!is_confirmed(options)) return exit_ok;
  std::vector<CommittedOffset> offsets;
  for (const Move& move : *moves) offsets.push_back({{move.topic, move.partition}, move.to});
  admin.alter_group_offsets(options.group, std::move(offsets));
  if (!options.json()) std::cout << fmt::format("moved group {}\n", options.group);
  return exit_ok;
}

int remove(const GroupOptions& options, blocking::Admin& admin) {
  admin.delete_group(options.group);
  std::string json = "{";
  append_field(json, "group", options.group);
  json += ",\"action\":\"deleted\"}\n";
  Output output;
  output.print(options.json() ? json : fmt::format("deleted group {}\n", options.group));
  return exit_ok;
}

using Action = int (*)(const GroupOptions&, blocking::Admin&);

Arguments& declare_action(Arguments& group, const std::shared_ptr<GroupOptions>& options,
                          const char* name, const char* summary, const char* examples,
                          Action action) {
  Arguments& arguments = group.subcommand(name, summary, examples);
  arguments.brokers(options->brokers);
  arguments.format(options->format);
  arguments.run([options, action] {
    blocking::Admin admin(client_options(options->brokers));
    return action(*options, admin);
  });
  return arguments;
}

void declare(Arguments& group) {
  auto options = std::make_shared<GroupOptions>();
  declare_action(group, options, "list", "Lists the groups", "  leat group list", list);
  Arguments& describing = declare_action(
      group, options, "describe", "Shows members, offsets and how far the group is behind",
      "  leat group describe audit\n"
      "  leat group describe audit --format json | jq '[.partitions[].lag] | add'\n"
      "BEHIND is the age of the first record that the group has not read.",
      describe);
  describing.required("GROUP", options->group, "The group");
  Arguments& seeking = declare_action(
      group, options, "seek", "Sets a group without members back, or forward",
      "  leat group seek audit --to start                the plan, and nothing else\n"
      "  leat group seek audit --to @-2h --yes           what came in the last two hours, again\n"
      "  leat group seek audit --to -100 --topic edits   the last hundred of each partition\n"
      "On a terminal it asks; else it prints the plan, and --yes carries it out.",
      seek);
  seeking.required("GROUP", options->group, "The group");
  seeking.option("--to POSITION", options->to,
                 "start, end, N, -N (before the end), +N (after the start) or @TIME (RFC 3339, "
                 "epoch ms, @-2h)");
  seeking.option("--topic TOPIC", options->topic, "Only this one (default: all it has committed)");
  seeking.flag("--yes", options->yes, "Do it without asking");
  Arguments& deleting =
      declare_action(group, options, "delete", "Deletes a group without members, and its offsets",
                     "  leat group delete audit", remove);
  deleting.required("GROUP", options->group, "The group");
}

}  // namespace

const Command group_command{"group", "Lists, describes, moves and deletes consumer groups",
                            "  leat group describe audit\n"
                            "  leat group seek audit --to @-2h",
                            declare};

}  // namespace leat::tools
