// The calculator and the units of measure.
#include <gtest/gtest.h>

#include "services/assistant/device/calculator.h"
#include "services/assistant/device/units.h"

namespace ink::assistant {
namespace {

std::string value(const std::string& expression) {
  const Calculation result = calculate(expression);
  return result.problem.empty() ? (result.exact ? "" : "~") + result.result : result.problem;
}

TEST(AssistantCalculator, DecimalsAreExact) {
  EXPECT_EQ(value("0.1+0.2"), "0.3");
  EXPECT_EQ(value("(1/3)*3"), "1");
  EXPECT_EQ(value("1.10*3"), "3.3");
  EXPECT_EQ(value("100-99.99"), "0.01");
  EXPECT_EQ(value("128*0.68"), "87.04");
  EXPECT_EQ(value("1/8"), "0.125");
  EXPECT_EQ(value("12345678901234567890*98765432109876543210"), "1219326311370217952237463801111263526900");
  EXPECT_EQ(value("7"), "7");
  EXPECT_EQ(value(".5"), "0.5");
  EXPECT_EQ(value("5."), "5");
  EXPECT_EQ(value("-0"), "0");
}

TEST(AssistantCalculator, WhatHasNoEndIsRoundedAndSaysSo) {
  EXPECT_EQ(value("1/3"), "~0.333333333333");
  EXPECT_EQ(value("2/3"), "~0.666666666667");
  EXPECT_EQ(value("-2/3"), "~-0.666666666667");
  EXPECT_EQ(value("1000/7"), "~142.857142857");
  EXPECT_EQ(value("1/300"), "~0.00333333333333");
  EXPECT_EQ(value("sqrt(2)"), "~1.41421356237");
  EXPECT_EQ(value("sqrt(2)^2"), "~2");
  EXPECT_EQ(value("10^50/3"), "~3.33333333333e49");
}

TEST(AssistantCalculator, OrderOfOperations) {
  EXPECT_EQ(value("2+3*4"), "14");
  EXPECT_EQ(value("(2+3)*4"), "20");
  EXPECT_EQ(value("10-4-3"), "3");
  EXPECT_EQ(value("100/10/5"), "2");
  EXPECT_EQ(value("2^3^2"), "512");
  EXPECT_EQ(value("-2^2"), "-4");
  EXPECT_EQ(value("2^-2"), "0.25");
  EXPECT_EQ(value("2*-3"), "-6");
  EXPECT_EQ(value("--3"), "3");
  EXPECT_EQ(value("+3"), "3");
  EXPECT_EQ(value("sqrt(9)+sqrt(2.25)"), "4.5");
  EXPECT_EQ(value("sqrt(sqrt(16))"), "2");
  EXPECT_EQ(value("9^0.5"), "3");
}

TEST(AssistantCalculator, PercentAndRemainder) {
  EXPECT_EQ(value("200*15%"), "30");
  EXPECT_EQ(value("15%"), "0.15");
  EXPECT_EQ(value("50%*3"), "1.5");
  EXPECT_EQ(value("10%3"), "1");
  EXPECT_EQ(value("10%(2+1)"), "1");
  EXPECT_EQ(value("-1%12"), "11");
  EXPECT_EQ(value("7.5%2"), "1.5");
  EXPECT_EQ(value("5%%"), "0.0005");
}

TEST(AssistantCalculator, WhatCannotBeComputedIsNamed) {
  EXPECT_EQ(value("1/0"), "divide_by_zero");
  EXPECT_EQ(value("1/(2-2)"), "divide_by_zero");
  EXPECT_EQ(value("5%0"), "divide_by_zero");
  EXPECT_EQ(value("0^-1"), "divide_by_zero");
  EXPECT_EQ(value("sqrt(-1)"), "root_of_negative");
  EXPECT_EQ(value("9^9^9^9"), "too_large");
  EXPECT_EQ(value("10^100000"), "too_large");
  EXPECT_EQ(value("2^0.3"), "too_large");
  for (const char* text :
       {"", "+", "1+", "(1", "1)", "()", "1..2", "2(3)", "sqrt", "sqrt2", "sqrt()", "abc", "1 + 1", "1e5"})
    EXPECT_EQ(value(text), "no_expression") << text;
}

TEST(AssistantCalculator, HugeInputsEnd) {
  EXPECT_EQ(value(std::string(2000, '1')), "too_large");
  EXPECT_EQ(value(std::string(900, '(')), "too_large");
  EXPECT_EQ(value(std::string(900, '-')), "too_large");
  EXPECT_EQ(value("1^999999999999"), "1");
  EXPECT_EQ(value("(0-1)^999999999999"), "-1");
  EXPECT_EQ(value("0^999999999999"), "0");
  std::string product = "9^9999";
  for (int i = 0; i < 50; ++i) product += "*9^9999";
  EXPECT_EQ(value(product), "too_large");
  EXPECT_EQ(value("2^100"), "1267650600228229401496703205376");
}

TEST(AssistantUnits, ExactWhereTheDefinitionIs) {
  const auto converted = [](const char* number, const char* from, const char* to) {
    const Conversion result = convert(number, from, to);
    return result.problem.empty() ? result.result : result.problem;
  };
  EXPECT_EQ(converted("1", "inch", "cm"), "2.54");
  EXPECT_EQ(converted("5", "miles", "km"), "8.04672");
  EXPECT_EQ(converted("100", "°F", "c"), "37.7777777778");
  EXPECT_EQ(converted("-40", "C", "F"), "-40");
  EXPECT_EQ(converted("0", "celsius", "kelvin"), "273.15");
  EXPECT_EQ(converted("3", "斤", "公斤"), "1.5");
  EXPECT_EQ(converted("1", "MB", "kB"), "1000");
  EXPECT_EQ(converted("90", "km/h", "m/s"), "25");
  EXPECT_EQ(converted("1", "畝", "m2"), "666.666666667");
  EXPECT_EQ(converted("1", "kg", "m"), "unlike_units");
  EXPECT_EQ(converted("1", "parsec", "m"), "unknown_unit");
  EXPECT_EQ(converted("one", "m", "m"), "no_number");
  EXPECT_EQ(converted("1.2.3", "m", "m"), "no_number");
  EXPECT_EQ(converted("", "m", "m"), "no_number");
}

}  // namespace
}  // namespace ink::assistant
