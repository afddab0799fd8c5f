// The language of an assistant turn that may call tools: either a reply, or calls such as
//   <tool_call>
//   {"name": "set_timer", "arguments": {"seconds": 1800, "label": "熄火"}}
//   </tool_call>
// one per group of lines, spaced as Python's json.dumps writes it, arguments in the order of the declaration;
// or, in the dialect of Qwen3-Coder and Qwen3.5 (runtime/grammar_xml.h), with <function=…> and <parameter=…>.
//
// A reply of free text is valid UTF-8 without control characters (but line feed and tab) and holds no
// <tool_call>. A reply in JSON may be written compactly, with spaces, or a value a line. A reply of any form
// other than free text never begins with <tool_call>: where a JSON string in it holds those words, they are
// no call.
//
// A tool whose schema cannot be enforced (kUnsupported) is refused when it is declared "strict": true, when a
// call is required, or when all_strict is set. Else nothing was promised: its arguments are any JSON object
// (in the XML dialect: any texts for the parameters that it declares).
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
  bool xml_calls = false;       // <function=NAME><parameter=P>… (chat_traits(format).xml_tools), not JSON
  ReplyFormat reply = {};
  bool all_strict = false;      // no tool may be lenient, as if each declared "strict": true
  bool after_thinking = false;  // the turn follows </think>: it begins with the "\n\n" of that format
  bool may_think = false;       // the turn may open <think> itself; the vocabulary has that token
  bool text_before_calls =
      false;  // with kAuto and a reply of free text: calls may follow it in the same turn
};

// tools: declarations {"type": "function", "function": {"name": …, "parameters": SCHEMA, "strict": …}}. What
// a SCHEMA may hold is said in runtime/grammar_schema.h, what a GBNF in runtime/grammar_gbnf.h. Errors name
// the tool or "response_format", the path and the keyword: kUnsupported for what is not enforced here (it is
// never ignored), kInvalid for contradictions, and for a schema that nothing fits, kTooLarge for caps.
Result<Grammar> compile_tools(std::span<const Json> tools, const ToolGrammarOptions& options);

}  // namespace ink
