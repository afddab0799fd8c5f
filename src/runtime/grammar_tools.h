// The language of an assistant turn that may call tools, in the Hermes form of the Qwen family: either a
// reply of free text, or calls such as
//   <tool_call>
//   {"name": "set_timer", "arguments": {"seconds": 1800, "label": "熄火"}}
//   </tool_call>
// one per group of lines, spaced as Python's json.dumps writes it, arguments in the order of the declaration.
// Only for formats that write Hermes calls (not chat_traits(format).xml_tools).
//
// A reply is valid UTF-8 without control characters (but line feed and tab) and holds no <tool_call>.
#pragma once

#include <span>

#include "base/json.h"
#include "base/result.h"
#include "runtime/grammar.h"

namespace ink {

enum class ToolChoice {
  kAuto,      // a reply or calls
  kRequired,  // calls
  kNone,      // a reply
};

// What the text of a reply has to be.
struct ReplyFormat {
  enum class Kind {
    kText,        // anything
    kJsonObject,  // any JSON object
    kJsonSchema,  // JSON that fits `schema`
    kGbnf,        // a text of llama.cpp's grammar notation
  } kind = Kind::kText;
  Json schema = {};
  std::string gbnf = {};
};

struct ToolGrammarOptions {
  ToolChoice choice = ToolChoice::kAuto;
  std::string named_tool = {};  // with kRequired: only this one may be called; empty: any
  int max_calls = 8;            // at least 1
  bool xml_calls =
      false;  // <function=NAME><parameter=P>… (chat_traits(format).xml_tools) instead of Hermes JSON
  ReplyFormat reply = {};
  bool after_thinking = false;  // the turn follows </think>: it begins with the "\n\n" of that format
};

// tools: declarations {"type": "function", "function": {"name": …, "parameters": SCHEMA}}. What a SCHEMA may
// hold is said in runtime/grammar_schema.h. Errors name the tool, the path and the keyword: kUnsupported for
// what is not enforced here (it is never ignored), kInvalid for contradictions, kTooLarge for caps.
Result<Grammar> compile_tools(std::span<const Json> tools, const ToolGrammarOptions& options);

}  // namespace ink
