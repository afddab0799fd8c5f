// Arbitrary schemas, grammars, requests and choices: whatever is compiled must never lead into a dead end,
// and what is chosen to its end must be calls that the parser reads, or a reply of its form without any.
// Input: one byte of options (bits 0-1 the choice, bit 2 added tokens, bit 3 a limit of the reply, bit 4
// after thinking, bit 5 calls in XML, bits 6-7: calls, a reply of the schema, a reply of the text as GBNF,
// calls where all is strict), then three texts that end with a zero byte or with the input: JSON (an array of
// declarations, or the schema of one argument or of the reply) or GBNF, the request, and the choices.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "runtime/constraint.h"
#include "runtime/grammar_tools.h"
#include "tests/text/tokenizer_small.h"
#include "text/tool_calls.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// Bytes, a few longer tokens (one ends inside of a character), and the marks of calls as added tokens or not.
std::shared_ptr<const ink::TokenTree> make_tree(bool with_marks) {
  ink::Vocabulary vocabulary = ink::testing::small_vocabulary({{"\"", ":"},
                                                               {"\":", " "},
                                                               {"t", "r"},
                                                               {"tr", "ue"},
                                                               {"u", "e"},
                                                               {"tr", "ue"},
                                                               {"\"", "}"},
                                                               {"1", "2"},
                                                               {"12", ","},
                                                               {"a", "b"},
                                                               {"ab", "c"},
                                                               {"\xe4", "\xbd"},
                                                               {"\xbd", "\xa0"},
                                                               {"<", "t"},
                                                               {"\n", "<"},
                                                               {"}", "}"}});
  if (with_marks) {
    for (const char* mark : {"<tool_call>", "</tool_call>", "<think>"}) {
      vocabulary.added.push_back({static_cast<int32_t>(vocabulary.tokens.size()), mark, false});
      vocabulary.tokens.emplace_back(mark);
    }
  }
  return ink::TokenTree::create(*ink::Tokenizer::from_vocabulary(vocabulary, "fuzz"));
}

std::string_view take_text(std::string_view& input) {
  const std::string_view text = input.substr(0, input.find('\0'));
  input.remove_prefix(std::min(input.size(), text.size() + 1));
  return text;
}

std::vector<ink::Json> declarations(const ink::Json& json) {
  if (json.is_array()) return json.get<std::vector<ink::Json>>();
  ink::Json tool;
  tool["function"]["name"] = "f";
  tool["function"]["parameters"]["type"] = "object";
  tool["function"]["parameters"]["properties"]["v"] = json;
  return {tool};
}

int32_t choose(const ink::TokenMask& mask, unsigned choice) {
  auto k = static_cast<int64_t>(choice) % mask.count();
  for (int32_t id = mask.lowest();; ++id) {
    if (mask.test(id) && k-- == 0) return id;
  }
}

void check_whole(std::string_view text, const std::vector<ink::Json>& tools,
                 const ink::ToolGrammarOptions& options) {
  using Kind = ink::ReplyFormat::Kind;
  if (options.after_thinking) text.remove_prefix(2);
  if (options.reply.kind == Kind::kGbnf) return;
  require(!ink::find_invalid_utf8(text));
  if (options.reply.kind == Kind::kJsonSchema) {
    require(ink::parse_json(text, "reply").ok());
    return;
  }
  const auto format = options.xml_calls ? ink::ChatFormat::kQwen3Coder : ink::ChatFormat::kQwen3Instruct;
  const auto turn = ink::parse_turn(format, text, tools, false);
  require(turn.tool_calls.empty() == !text.starts_with("<tool_call>"));
  if (turn.tool_calls.empty()) require(text.find("<tool_call>") == std::string_view::npos);
  require(turn.tool_calls.empty() || turn.content.empty());
  for (const ink::ToolCall& call : turn.tool_calls) {
    const auto is_it = [&](const ink::Json& tool) { return tool["function"]["name"] == call.name; };
    require(std::any_of(tools.begin(), tools.end(), is_it));
    require(call.arguments.is_object());
  }
}

// What is to be compiled, by the bits of the options; false: the text is no JSON.
bool read_question(unsigned bits, std::string_view text, std::vector<ink::Json>& tools,
                   ink::ToolGrammarOptions& options) {
  using Kind = ink::ReplyFormat::Kind;
  options.choice = static_cast<ink::ToolChoice>((bits & 3) % 3);
  options.after_thinking = (bits & 16) != 0;
  options.xml_calls = (bits & 32) != 0;
  options.max_calls = 2;
  const unsigned what = bits >> 6;
  if (what == 2) {
    options.choice = ink::ToolChoice::kNone;
    options.reply.kind = Kind::kGbnf;
    options.reply.gbnf = text;
    return true;
  }
  const auto json = ink::parse_json(text, "fuzz");
  if (!json) return false;
  if (what == 1) {
    options.choice = ink::ToolChoice::kNone;
    options.reply.kind = Kind::kJsonSchema;
    options.reply.schema = *json;
  } else {
    tools = declarations(*json);
    options.all_strict = what == 3;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto kMarked = make_tree(true), kSpelled = make_tree(false);
  if (size < 2) return 0;
  const unsigned bits = data[0];
  std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  std::vector<ink::Json> tools;
  ink::ToolGrammarOptions options;
  if (!read_question(bits, take_text(input), tools, options)) return 0;
  auto grammar = ink::compile_tools(tools, options);
  if (!grammar) return 0;
  const auto shared = ink::TokenGrammar::create(std::move(*grammar), (bits & 4) != 0 ? kMarked : kSpelled);
  const std::string request(take_text(input));
  auto constraint = ink::Constraint::create(shared, {request, (bits & 8) != 0 ? 3 : -1});
  if (!constraint) return 0;
  std::string text;
  for (const char choice : input) {
    const auto byte = static_cast<unsigned char>(choice);
    const ink::TokenMask& allowed = (*constraint)->allowed();
    require((*constraint)->can_stop() || allowed.count() > 0);
    if (allowed.count() == 0 || ((*constraint)->can_stop() && byte % 16 == 0)) break;
    require(allowed.test(byte) || !(*constraint)->accept(byte));
    const int32_t id = choose(allowed, byte);
    text += (*constraint)->tokenizer().token_bytes(id);
    require((*constraint)->accept(id));
  }
  if ((*constraint)->can_stop()) check_whole(text, tools, options);
  return 0;
}
