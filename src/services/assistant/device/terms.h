// Finding what somebody means among things that were said before: a label ("the egg timer"), a note ("what
// was the wifi password"), an application by name. No index and no model: a person has hundreds of notes, not
// millions.
#pragma once

#include <string>
#include <string_view>

namespace ink::assistant {

// For comparing: NFKC, case folded, simplified, without white space at the ends or twice.
std::string folded(std::string_view text);

// Whether two names mean the same: equal, or one is part of the other. Empty is like nothing.
bool alike(std::string_view a, std::string_view b);

// How much of what a question asks for a text holds: 0 nothing … 1 all. Words of Latin script count whole,
// Han characters in pairs; words that every question has (what, the, 什么, 的, 係) count for nothing.
double share_of_terms(std::string_view question, std::string_view text);

}  // namespace ink::assistant
