// See cli/batch.h.
#include "cli/batch.h"

#include "base/utf8.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/prompt_text.h"

namespace ink::cli {

std::vector<ChatMessage> opening_messages(const ChatFlags& chat, const std::string& text) {
  std::vector<ChatMessage> messages;
  if (chat.system_prompt) messages.push_back(text_message(Role::kSystem, *chat.system_prompt));
  messages.push_back(text_message(Role::kUser, text));
  return messages;
}

Result<std::vector<BatchLine>> read_batch(const std::string& path) {
  const auto content = path == "-" ? read_stdin() : read_utf8_file(path);
  if (!content.ok()) return content.error();
  std::vector<BatchLine> lines;
  int64_t number = 0;
  for (size_t begin = 0; begin < content->size();) {
    const size_t end = std::min(content->find('\n', begin), content->size());
    const std::string line = content->substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (trimmed(line).empty()) continue;
    const std::string where = path + ":" + std::to_string(number);
    const auto json = parse_json(line, where);
    if (!json.ok()) return json.error();
    if (!json->is_object() || !json->contains("text") || !(*json)["text"].is_string() ||
        (*json)["text"].get_ref<const std::string&>().empty())
      return Error{ErrorKind::kInvalid, where, "an object with a \"text\"", line.substr(0, 60), ""};
    lines.push_back(
        {json->contains("id") ? (*json)["id"] : Json(number), (*json)["text"].get<std::string>()});
  }
  if (lines.empty()) return Error{ErrorKind::kInvalid, path, "lines of JSON", "none", ""};
  return lines;
}

int answer_batch(LoadedModel& model, const std::vector<BatchLine>& lines, const ChatFlags& chat,
                 const std::vector<Json>& tools, std::optional<bool> enable_thinking,
                 const GenerationOptions& options) {
  Progress progress("answering");
  const InterruptScope ctrl_c(true);
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto prompt = chat_prompt(model, opening_messages(chat, lines[i].text), tools, enable_thinking);
    if (!prompt.ok()) return report(prompt.error());
    const auto goes_on = [](const TurnEvent&) { return !output().failed(); };
    const auto answer = generate_answer(model, *prompt, options, tools, true, goes_on);
    if (!answer.ok()) return report(answer.error());
    if (answer->generation.finish == FinishReason::kCancelled) return end_of_answer(model, *answer);
    Json line;
    line["id"] = lines[i].id;
    line["content"] = answer->turn.content;
    line["tool_calls"] = calls_json(answer->turn.tool_calls);
    line["calls"] = line["tool_calls"];
    line["finish_reason"] = finish_name(*answer);
    output().write_json(line);
    progress.update(static_cast<double>(i + 1) / static_cast<double>(lines.size()));
  }
  return kOk;
}

}  // namespace ink::cli
