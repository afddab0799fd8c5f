// The states of prompts' last tokens, computed many at a time: what embeddings and rankings are made of.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "services/library/library.h"

namespace ink {

// For each prompt the state [hidden_size] after its last token, behind the final norm. The numbers do not
// depend on which prompts are computed together. Takes at most half of the model's sequences at once, and
// gives them back between groups, so that chats go on meanwhile. Errors: kInvalid (an empty prompt, ids
// outside the vocabulary), kTooLarge (where is "context"), kCancelled.
Result<std::vector<std::vector<float>>> last_states(ServedModel& model,
                                                    std::span<const std::vector<int32_t>> prompts,
                                                    Priority priority, const std::atomic<bool>& cancelled);

}  // namespace ink
