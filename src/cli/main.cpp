// The program's entry; everything is in cli/program.cpp, where tests can reach it.
#include "cli/program.h"

int main(int argc, char** argv) { return ink::run_program(argc, argv); }
