// The assistant's sentences: phrases/cmn.txt, yue.txt and eng.txt, one "name = sentence" a line, edited by
// people who write no programs. {slot} is filled in; a part in [brackets] is left out when one of its slots
// is empty. What was copied from the person stays as it was written; our own words are put into the person's
// script. Nothing that fills a slot is read as a sentence again, so a note that says "{time}" is just a note.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "services/assistant/language.h"
#include "services/assistant/tool.h"

namespace ink::assistant {

class Phrases {
 public:
  // Errors: kInvalid with file and line: no " = ", a name twice, a bracket that is not closed.
  static Result<Phrases> read(std::string_view text, const std::string& file);
  // The ones the program carries. They are checked by the tests, and by us at the first use.
  static const Phrases& of(Language language);

  bool has(const std::string& name) const { return sentences_.count(name) != 0; }
  // Empty when there is no sentence of this name.
  std::string say(const Words& words, const Voice& voice) const;
  const std::unordered_map<std::string, std::string>& all() const { return sentences_; }

 private:
  std::string fill(std::string_view sentence, const Json& slots, const Voice& voice) const;
  std::string slot_text(const std::string& slot, const Json& value, const Voice& voice) const;
  std::string joined(const std::string& slot, const Json& list, const Voice& voice) const;
  std::string duration_text(int64_t seconds, const Voice& voice) const;
  std::string clock_text(const std::string& time, const Voice& voice) const;
  std::string date_text(const std::string& date, const Voice& voice) const;
  const std::string* find(const std::string& name) const;
  std::unordered_map<std::string, std::string> sentences_;
};

// One sentence for what came of a call: the outcome's own, else the problem's, else a plain "done" or
// "failed".
std::string say(const Outcome& outcome, const Voice& voice);
// "NAME.already" is said as NAME where it has no sentence of its own.
std::string say(const Words& words, const Voice& voice);

}  // namespace ink::assistant
