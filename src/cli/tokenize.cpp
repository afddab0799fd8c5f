// `inkstone tokenize`: text to token ids and back, with a model's own tokenizer and without its weights.
#include <memory>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/prompt_text.h"
#include "services/library/model_finder.h"

namespace ink::cli {
namespace {

struct TokenizeFlags {
  ModelFlags model;
  std::optional<std::string> text;
  std::optional<std::string> decode;
  bool ids = false;
  bool count = false;
  bool special = false;
  bool json = false;
};

std::string joined(const std::vector<int32_t>& ids) {
  std::string text;
  for (const int32_t id : ids) text += (text.empty() ? "" : " ") + std::to_string(id);
  return text;
}

// Ids separated by white space or commas; brackets of a JSON array are allowed.
Result<std::vector<int32_t>> parse_ids(const std::string& text, int32_t vocabulary_size) {
  std::vector<int32_t> ids;
  constexpr const char* kBetween = " \t\r\n,[]";
  for (size_t begin = text.find_first_not_of(kBetween); begin != std::string::npos;) {
    const size_t end = std::min(text.find_first_of(kBetween, begin), text.size());
    const auto id =
        parse_integer("--decode", std::string_view(text).substr(begin, end - begin), 0, vocabulary_size - 1);
    if (!id.ok()) return id.error();
    ids.push_back(static_cast<int32_t>(*id));
    begin = text.find_first_not_of(kBetween, end);
  }
  return ids;
}

int decode(const TokenizeFlags& flags, const Tokenizer& tokenizer) {
  Result<std::string> text = *flags.decode;
  if (*flags.decode == "-") text = read_stdin();
  if (!text.ok()) return report(text.error());
  const auto ids = parse_ids(*text, tokenizer.vocabulary_size());
  if (!ids.ok()) return report(ids.error());
  const std::string decoded = tokenizer.decode(*ids, false);
  if (flags.json)
    output().write_json(Json{{"text", decoded}, {"ids", *ids}});
  else
    output().write(decoded + (stdout_is_terminal() ? "\n" : ""));
  return kOk;
}

int encode(const TokenizeFlags& flags, const Tokenizer& tokenizer, const std::string& text) {
  const TextSegment segment{text, flags.special};
  const std::vector<int32_t> ids = tokenizer.encode(std::span(&segment, 1));
  if (flags.json) {
    Json tokens = Json::array();
    for (const int32_t id : ids) tokens.push_back(std::string(tokenizer.token_bytes(id)));
    output().write_json(Json{{"count", ids.size()}, {"ids", ids}, {"tokens", tokens}});
  } else if (flags.count) {
    output().write(std::to_string(ids.size()) + "\n");
  } else if (flags.ids) {
    output().write(joined(ids) + "\n");
  } else {
    for (const int32_t id : ids) {
      // JSON quoting makes spaces, line breaks and half characters visible.
      const std::string quoted = json_text(std::string(tokenizer.token_bytes(id)));
      output().write(std::to_string(id) + "\t" + quoted + "\n");
    }
  }
  return kOk;
}

int tokenize(const TokenizeFlags& flags) {
  if (flags.decode && flags.text)
    return report({ErrorKind::kInvalid, "--decode", "no TEXT beside it", "'" + *flags.text + "'", ""});
  Result<std::string> text = flags.text.value_or("");
  if (!flags.decode && (!flags.text || *flags.text == "-")) text = read_stdin();
  if (!text.ok()) return report(text.error());
  if (const Status valid = check_utf8("text", *text); !valid.ok()) return report(valid.error());
  const auto checkpoint = open_model(flags.model.model.value_or(""));
  if (!checkpoint.ok()) return report(checkpoint.error());
  const auto tokenizer = read_tokenizer(*checkpoint);
  if (!tokenizer.ok()) return report(tokenizer.error());
  return flags.decode ? decode(flags, *tokenizer) : encode(flags, *tokenizer, *text);
}

}  // namespace

void add_tokenize_command(CLI::App& program, Action& action) {
  Command command(program, "tokenize", "Show the tokens of a text, or the text of tokens");
  auto flags = std::make_shared<TokenizeFlags>();
  command.text("TEXT", flags->text, "The text; none or - reads stdin");
  add_model_flag(command, flags->model);
  command.toggle("--ids", flags->ids, "Print only the ids, on one line");
  command.toggle("--count", flags->count, "Print only how many tokens there are");
  command.toggle("--special", flags->special, "Recognise control tokens such as <|im_start|> in the text");
  command.text("--decode", flags->decode, "Print the text of these ids (- reads them from stdin)", "IDS");
  command.toggle("--json", flags->json, "Print a JSON object");
  command.runs(action, [flags] { return tokenize(*flags); });
}

}  // namespace ink::cli
