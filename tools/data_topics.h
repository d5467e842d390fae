// The topics of a data directory that no server holds.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/uuid.h"
#include "file/file.h"

namespace leat::tools {

/// Takes the directory's lock, so that no server starts meanwhile. Errc::locked, naming pid and
/// address of the server that has it and how to reach it; Errc::not_found if there is no data
/// directory.
Result<std::unique_ptr<file::DirectoryLock>> hold_directory(file::FileSystem& files,
                                                            const std::string& directory);

/// Names of all topics by id, without changing anything; empty when the catalog cannot be read.
std::map<Uuid, std::string> read_topic_names(file::FileSystem& files, const std::string& directory);

/// "edits/0"; with its id where the topic has no name.
std::string partition_name(const std::map<Uuid, std::string>& names, const TopicPartition& id);

}  // namespace leat::tools
