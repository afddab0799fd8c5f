// A conversation as the `chat` command holds it: the messages so far and what has been switched, with the /
// commands. It neither reads lines nor draws prompts, so that it can be tested on its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/actor.h"
#include "cli/conversation.h"

namespace ink::cli {

class Chat {
 public:
  Chat(LoadedModel& model, std::vector<Json> tools, const SamplingFlags& sampling, GenerationOptions options,
       const ChatFlags& flags);

  // From now on messages are acted on. Errors are reported; gives the exit code.
  int act();

  // A message, or a command when it begins with '/'. Gives the exit code of what was done; errors are
  // reported.
  int take(const std::string& message);
  bool wants_to_end() const { return ended_; }
  const std::vector<ChatMessage>& messages() const { return messages_; }

 private:
  struct Command;
  static const std::vector<Command>& commands();
  int run_command(const std::string& line);
  int answer();

  int help(const std::string&);
  int clear(const std::string&);
  int system(const std::string& text);
  int think(const std::string&);
  int no_think(const std::string&);
  int regenerate(const std::string&);
  int tools(const std::string&);
  int save(const std::string& path);
  int load(const std::string& path);
  int stats(const std::string&);
  int end(const std::string&);

  LoadedModel& model_;
  std::unique_ptr<Actor> actor_;  // null: messages are only answered
  std::vector<Json> tools_;
  GenerationOptions options_;
  std::optional<bool> enable_thinking_;
  bool show_thinking_;
  std::vector<ChatMessage> messages_;
  std::optional<GenerationResult> last_;
  bool ended_ = false;
};

// The conversation as the OpenAI wire writes it, for /save.
Json messages_json(const std::vector<ChatMessage>& messages);

}  // namespace ink::cli
