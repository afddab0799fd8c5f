// What the writers of chat completions and of completions share: replies of several choices, and streams of
// chunks behind which [DONE] comes.
#pragma once

#include "services/openai/parts.h"
#include "services/wire/writer.h"

namespace ink::openai {

struct ChoicesShape {
  int choices = 1;  // of each prompt
  bool include_usage = false;
  bool logprobs = false;
};

struct ChoicesWords {
  const char* id;      // in front of the exchange's
  const char* object;  // of a reply, and of a chunk
  const char* chunk;
};

class ChoicesWriter : public wire::AnswerWriter {
 public:
  Json reply(const std::vector<FinishedAnswer>& answers) override {
    model_ = answers.front().model;
    Json json = head(words_.object);
    for (size_t i = 0; i < answers.size(); ++i) json["choices"].push_back(choice_json(i, answers[i]));
    json["usage"] = usage_json(answers, shape_.choices);
    json["timings"] = timings_json(answers.front());
    return json;
  }

  std::string_view content_type() const override { return "text/event-stream"; }

  std::string start(const std::string& model, int64_t) override {
    model_ = model;
    return "";
  }

  std::string end(const std::vector<FinishedAnswer>& answers) override {
    if (!shape_.include_usage) return kDone;
    Json last = head(words_.chunk);
    last["usage"] = usage_json(answers, shape_.choices);
    last["timings"] = timings_json(answers.front());
    return wire::server_sent_event(last) + kDone;
  }

  std::string failure(const wire::Failure& failure) override {
    return wire::server_sent_event(error_body(failure)) + kDone;
  }
  std::string ping() override { return ": ping\n\n"; }

 protected:
  ChoicesWriter(const ChoicesWords& words, const wire::Moment& moment, const ChoicesShape& shape)
      : shape_(shape), words_(words), moment_(moment) {}

  virtual Json choice_json(size_t index, const FinishedAnswer& answer) = 0;  // of a reply

  Json chunk(Json choice) const {
    Json json = head(words_.chunk);
    json["choices"].push_back(std::move(choice));
    return json;
  }
  std::string say(Json choice) const {
    Json json = chunk(std::move(choice));
    if (shape_.include_usage) json["usage"] = nullptr;
    return wire::server_sent_event(json);
  }

  ChoicesShape shape_;

 private:
  static constexpr const char* kDone = "data: [DONE]\n\n";

  Json head(const char* object) const {
    return {{"id", words_.id + moment_.id},
            {"object", object},
            {"created", moment_.unix_seconds},
            {"model", model_},
            {"choices", Json::array()}};
  }

  ChoicesWords words_;
  wire::Moment moment_;
  std::string model_;
};

}  // namespace ink::openai
