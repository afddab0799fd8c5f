// Answers in Anthropic's words: one message of blocks, or the events message_start, content_block_start,
// content_block_delta, content_block_stop, message_delta, message_stop.
#pragma once

#include "services/wire/writer.h"

namespace ink::anthropic {

std::unique_ptr<wire::AnswerWriter> make_message_writer(const wire::Moment& moment);

}  // namespace ink::anthropic
