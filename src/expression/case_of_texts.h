// A case that only asks which of some texts another one is.
#pragma once

#include <memory>

#include "expression/node.h"

namespace leat::expression {

/// Of a `case` whose conditions all compare the same with literal texts, as in `case when word =
/// 'a' then 1 when word in ('b', 'c') then 2 else 3 end`, with lower(word) as well: each text is
/// looked up once, whatever there is to compare it with. Nothing for any other.
std::unique_ptr<Node> make_case_of_texts(const plan::BoundExpression& call);

}  // namespace leat::expression
