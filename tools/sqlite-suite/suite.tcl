# Runs one file of one of SQLite's test suites, or lists the suite's files, a path a line:
# testfixture suite.tcl SUITE TESTFOLDER WORKFOLDER [FILE]
#
# As the suite itself runs it: in an interpreter of its own, with the suite's options. Run without
# them some files fail everywhere. permutations.test, which makes the suites, reads its folder off
# argv0 and works in --testdir.

lassign $argv suite tests work file
set argv0 $tests/suite.tcl
set argv [list --testdir=$work]
source $tests/permutations.test

if {$file ne ""} {
  run_tests $suite {*}$::testspec($suite) -files [list $file]
  finish_test
}
array set options $::testspec($suite)
foreach name [lsort $options(-files)] {
  puts "FILE [file normalize [file join $tests $name]]"
}
exit 0
