// See server/metrics.h.
#include "server/metrics.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "services/answers/answer.h"

namespace ink::server {
namespace {

std::string number_text(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

std::string escaped_label(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\n')
      text += "\\n";
    else if (c == '"' || c == '\\')
      text.append(1, '\\').append(1, c);
    else
      text += c;
  }
  return text;
}

std::string label(std::string_view name, std::string_view value) {
  return std::string(name) + "=\"" + escaped_label(value) + "\"";
}

void write_head(std::string& text, std::string_view name, std::string_view kind, std::string_view help) {
  text.append("# HELP inkstone_").append(name).append(" ").append(help).append("\n");
  text.append("# TYPE inkstone_").append(name).append(" ").append(kind).append("\n");
}

void write_value(std::string& text, std::string_view name, const std::string& labels,
                 const std::string& value) {
  text.append("inkstone_").append(name);
  if (!labels.empty()) text.append("{").append(labels).append("}");
  text.append(" ").append(value).append("\n");
}

void write_single(std::string& text, std::string_view name, std::string_view kind, std::string_view help,
                  const std::string& value) {
  write_head(text, name, kind, help);
  write_value(text, name, "", value);
}

// Memory that the process has in use; 0 where the system does not tell.
int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t whole = 0, resident = 0;
  file >> whole >> resident;
  return file ? resident * ::sysconf(_SC_PAGESIZE) : 0;
}

}  // namespace

void DurationHistogram::count(double seconds) {
  const auto place = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++counts_[static_cast<size_t>(place - kBounds.begin())];
  sum_ += seconds;
}

void DurationHistogram::write(std::string& text, std::string_view name, const std::string& labels) const {
  const std::string bucket = std::string(name) + "_bucket", before = labels.empty() ? "" : labels + ",";
  uint64_t sum = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    sum += counts_[i];
    const std::string bound = i < kBounds.size() ? number_text(kBounds[i]) : "+Inf";
    write_value(text, bucket, before + label("le", bound), std::to_string(sum));
  }
  write_value(text, std::string(name) + "_sum", labels, number_text(sum_));
  write_value(text, std::string(name) + "_count", labels, std::to_string(sum));
}

void Metrics::count_answer(const std::string& model, const AnswerUsage& usage) {
  const std::lock_guard lock(mutex_);
  Tokens& tokens = tokens_[model];
  tokens.prompt += usage.prompt_tokens;
  tokens.cached += usage.cached_tokens;
  tokens.completion += usage.completion_tokens;
  tokens.reasoning += usage.reasoning_tokens;
  tokens.queued_seconds += usage.queued_seconds;
  tokens.load_seconds += usage.load_seconds;
  tokens.prompt_seconds += usage.prompt_seconds;
  tokens.generation_seconds += usage.generation_seconds;
  ++tokens.answers;
}

void Metrics::count_first_token(const std::string& model, double seconds) {
  const std::lock_guard lock(mutex_);
  tokens_[model].first_token.count(seconds);
}

void Metrics::add_gauge(std::string name, std::string help, Read read) {
  const std::lock_guard lock(mutex_);
  read_later_.push_back({std::move(name), std::move(help), "gauge", std::move(read)});
}

void Metrics::add_counter(std::string name, std::string help, Read read) {
  const std::lock_guard lock(mutex_);
  read_later_.push_back({std::move(name), std::move(help), "counter", std::move(read)});
}

void Metrics::count_request(std::string_view endpoint, std::string_view method, int status, double seconds) {
  const std::lock_guard lock(mutex_);
  ++requests_[{std::string(endpoint), std::string(method), status}];
  seconds_[std::string(endpoint)].count(seconds);
}

void Metrics::count_gone(std::string_view why) {
  const std::lock_guard lock(mutex_);
  ++gone_[std::string(why)];
}

void Metrics::write_requests(std::string& text) const {
  write_head(text, "requests_total", "counter", "Requests answered, by endpoint, method and status.");
  for (const auto& [key, count] : requests_)
    write_value(text, "requests_total",
                label("endpoint", std::get<0>(key)) + "," + label("method", std::get<1>(key)) + "," +
                    label("code", std::to_string(std::get<2>(key))),
                std::to_string(count));
  write_head(text, "request_seconds", "histogram", "From a request's last byte to its answer's last byte.");
  for (const auto& [endpoint, histogram] : seconds_)
    histogram.write(text, "request_seconds", label("endpoint", endpoint));
  write_head(text, "clients_gone_total", "counter", "Clients that went before their answer had ended.");
  for (const auto& [why, count] : gone_)
    write_value(text, "clients_gone_total", label("why", why), std::to_string(count));
  write_single(text, "connections", "gauge", "Open connections.", std::to_string(connections));
  write_single(text, "requests_running", "gauge", "Requests being answered.", std::to_string(running));
  write_single(text, "requests_waiting", "gauge", "Requests that wait for their turn.",
               std::to_string(waiting));
  write_single(text, "received_bytes_total", "counter", "Bytes that clients sent.",
               std::to_string(received_bytes));
  write_single(text, "sent_bytes_total", "counter", "Bytes that clients were sent.",
               std::to_string(sent_bytes));
}

void Metrics::write_tokens(std::string& text) const {
  const auto counter = [&](std::string_view name, std::string_view help, const auto& value_of) {
    write_head(text, name, "counter", help);
    for (const auto& [model, tokens] : tokens_)
      write_value(text, name, label("model", model), value_of(tokens));
  };
  const auto whole = [](auto Tokens::*member) {
    return [member](const Tokens& tokens) { return std::to_string(tokens.*member); };
  };
  const auto seconds = [](double Tokens::*member) {
    return [member](const Tokens& tokens) { return number_text(tokens.*member); };
  };
  counter("answers_total", "Answers, whole or cut short.", whole(&Tokens::answers));
  counter("prompt_tokens_total", "Tokens of prompts.", whole(&Tokens::prompt));
  counter("cached_tokens_total", "Tokens of prompts that were already in the cache.", whole(&Tokens::cached));
  counter("completion_tokens_total", "Tokens generated.", whole(&Tokens::completion));
  counter("reasoning_tokens_total", "Tokens generated that were thinking.", whole(&Tokens::reasoning));
  counter("queued_seconds_total", "Waiting before the first token of a prompt was read.",
          seconds(&Tokens::queued_seconds));
  counter("load_seconds_total", "Loading models for an answer.", seconds(&Tokens::load_seconds));
  counter("prompt_seconds_total", "Reading prompts.", seconds(&Tokens::prompt_seconds));
  counter("generation_seconds_total", "Generating.", seconds(&Tokens::generation_seconds));
  write_head(text, "first_token_seconds", "histogram",
             "From a request's arrival to its answer's first piece.");
  for (const auto& [model, tokens] : tokens_)
    tokens.first_token.write(text, "first_token_seconds", label("model", model));
}

std::string Metrics::text() const {
  std::string text;
  std::vector<ReadLater> read_later;  // without the lock: what they ask may be waiting for it
  {
    const std::lock_guard lock(mutex_);
    write_requests(text);
    write_tokens(text);
    read_later = read_later_;
  }
  for (const ReadLater& one : read_later) {
    if (const auto value = one.read()) write_single(text, one.name, one.kind, one.help, number_text(*value));
  }
  write_single(text, "resident_memory_bytes", "gauge", "Memory in use.", std::to_string(resident_bytes()));
  // Nothing in this program can open a connection outwards: there is no code that would count here.
  write_single(text, "bytes_sent_to_other_hosts_total", "counter",
               "Bytes sent to servers elsewhere; nothing in this program does.", "0");
  return text;
}

}  // namespace ink::server
