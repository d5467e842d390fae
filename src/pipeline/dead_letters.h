// What a pipeline's plan says about giving it again what it has rejected.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/deployed.h"
#include "plan/plan.h"

namespace leat::pipeline {

/// The topics that its dead letters go to, each once.
std::vector<std::string> dead_letter_topics(const plan::Plan& plan);

/// The topics of sources whose records can be given again: those that are no tables.
std::vector<std::string> letter_sources(const plan::Plan& plan);

/// Whether what comes of a record depends on that record and tables alone, so that it can be given
/// by itself and late: else Errc::invalid_request, with what to do instead.
Result<void> check_takes_letters(const plan::Plan& plan, const std::string& pipeline);

/// A record comes to one result, or to none where one of its rows was rejected: then nothing else
/// has come of it, and it may be given again as a whole.
bool gives_one_result(const plan::Plan& plan);

/// Up to where the letters of the topic have been given again: nothing goes back.
void note_taken(Deployed& pipeline, const std::string& topic, const Positions& positions);
Positions taken_of(const Deployed& pipeline, const std::string& topic);

}  // namespace leat::pipeline
