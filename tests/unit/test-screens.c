/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/lib/screen-script.h"

#define DIR "tests/screens"

static void test_the_demo_reaches_the_review_in_at_most_30_keys(void **state SW_UNUSED)
{
	sw_script_run(DIR, "road");
}

static void test_back_keeps_what_was_typed_and_nothing_is_wanted(void **state SW_UNUSED)
{
	sw_script_run(DIR, "back");
}

static void test_in_mode_network_the_payload_may_be_left_empty(void **state SW_UNUSED)
{
	sw_script_run(DIR, "network");
}

static void test_a_node_may_have_several_admissions(void **state SW_UNUSED)
{
	sw_script_run(DIR, "admissions");
}

static void test_files_and_secrets_of_the_node_by_hand_are_those_of_a_file(void **state SW_UNUSED)
{
	sw_script_run(DIR, "site");
	sw_script_run(DIR, "site-by-lines");
	sw_script_run(DIR, "site-no-disk");
}

static void test_a_form_tells_what_is_wrong_while_typing(void **state SW_UNUSED)
{
	sw_script_run(DIR, "form-errors");
}

static void test_only_the_right_text_starts_the_install(void **state SW_UNUSED)
{
	sw_script_run(DIR, "confirm");
}

static void test_disks_that_cannot_be_chosen_say_why(void **state SW_UNUSED)
{
	sw_script_run(DIR, "disks");
}

static void test_further_disks_are_chosen_one_after_the_other(void **state SW_UNUSED)
{
	sw_script_run(DIR, "more-disks");
}

static void test_a_further_disk_loses_no_more_than_was_said(void **state SW_UNUSED)
{
	sw_script_run(DIR, "more-disks-loss");
}

static void test_a_node_without_a_disk_is_a_choice_with_its_losses_in_words(void **state SW_UNUSED)
{
	sw_script_run(DIR, "no-disk");
	sw_script_run(DIR, "no-disk-yet");
}

static void test_progress_log_and_success(void **state SW_UNUSED)
{
	sw_script_run(DIR, "progress");
}

static void test_a_failure_stays_with_what_to_do_next(void **state SW_UNUSED)
{
	sw_script_run(DIR, "failure");
}

static void test_an_interrupted_install_comes_first(void **state SW_UNUSED)
{
	sw_script_run(DIR, "journal");
}

static void test_an_undo_with_a_disk_away_names_it_and_is_finished_later(void **state SW_UNUSED)
{
	sw_script_run(DIR, "undo-away");
}

static void test_unattended_goes_from_facts_to_restart(void **state SW_UNUSED)
{
	sw_script_run(DIR, "unattended");
}

static void test_unattended_asks_what_is_left_open_and_only_that(void **state SW_UNUSED)
{
	sw_script_run(DIR, "left-open");
	sw_script_run(DIR, "left-open-stop");
}

static void
test_unattended_waits_until_all_disks_have_come_and_for_one_that_fits(void **state SW_UNUSED)
{
	sw_script_run(DIR, "wait");
	sw_script_run(DIR, "wait-never-settled");
}

static void test_waiting_for_a_disk_ends_with_the_refusal_or_at_any_key(void **state SW_UNUSED)
{
	sw_script_run(DIR, "wait-over");
	sw_script_run(DIR, "wait-stop");
}

static void test_any_key_stops_a_countdown(void **state SW_UNUSED)
{
	sw_script_run(DIR, "countdown");
}

static void test_help_names_the_keys_that_work(void **state SW_UNUSED)
{
	sw_script_run(DIR, "help");
}

static void test_the_boot_switch_shows_its_writes_asks_and_reads_back(void **state SW_UNUSED)
{
	sw_script_run(DIR, "switch");
}

static void test_a_disk_is_wiped_after_its_serial_was_typed_and_reported_on(void **state SW_UNUSED)
{
	sw_script_run(DIR, "wipe");
}

static void test_a_wipe_that_the_disk_cannot_do_is_refused_before_consent(void **state SW_UNUSED)
{
	sw_script_run(DIR, "wipe-refused");
}

static void test_what_asks_servers_says_so_meanwhile_and_can_be_stopped(void **state SW_UNUSED)
{
	sw_script_run(DIR, "doctor-servers");
	sw_script_run(DIR, "network-asks");
}

static void test_the_doctor_shows_its_findings_repairs_and_takes_back(void **state SW_UNUSED)
{
	sw_script_run(DIR, "doctor");
	/* A slot that no other repairs asks for an image. */
	sw_script_run(DIR, "doctor-image");
	/* A state that is closed asks for its key, until one opens it. */
	sw_script_run(DIR, "doctor-closed");
}

static void test_status_and_network_are_looked_at_and_a_url_is_tested(void **state SW_UNUSED)
{
	sw_script_run(DIR, "looks");
}

static void test_all_that_an_install_needs_of_the_network_is_tested(void **state SW_UNUSED)
{
	sw_script_run(DIR, "nettest");
}

static void test_an_admission_is_checked_before_it_is_needed(void **state SW_UNUSED)
{
	sw_script_run(DIR, "preflight");
}

static void test_a_node_is_admitted_with_a_token_that_only_its_typist_sees(void **state SW_UNUSED)
{
	sw_script_run(DIR, "admit");
}

static void test_a_shell_is_asked_for_before_it_opens(void **state SW_UNUSED)
{
	sw_script_run(DIR, "shell");
	sw_script_run(DIR, "inside");
	sw_script_run(DIR, "inside-no-shell");
}

static void test_each_greyed_item_says_why(void **state SW_UNUSED)
{
	sw_script_run(DIR, "greyed");
}

static void test_a_restart_goes_where_it_is_told_to(void **state SW_UNUSED)
{
	sw_script_run(DIR, "restart");
}

static void test_plain_mode_shows_status_network_and_shell(void **state SW_UNUSED)
{
	sw_script_run(DIR, "looks-by-lines");
}

static void test_the_tools_look_and_copy_only_where_they_are_told_to(void **state SW_UNUSED)
{
	sw_script_run(DIR, "tools");
	sw_script_run(DIR, "tools-look");
	sw_script_run(DIR, "tools-memory");
	sw_script_run(DIR, "opened");
}

static void test_a_configuration_is_judged_asked_for_and_taken_back(void **state SW_UNUSED)
{
	sw_script_run(DIR, "tools-config");
}

static void test_a_bundle_shows_what_goes_in_and_ends_with_its_code(void **state SW_UNUSED)
{
	sw_script_run(DIR, "tools-bundle");
	sw_script_run(DIR, "tools-qr");	/* they take the screen, or there is the text */
}

static void test_plain_mode_has_the_tools(void **state SW_UNUSED)
{
	sw_script_run(DIR, "tools-by-lines");
}

static void test_answers_and_log_can_be_saved(void **state SW_UNUSED)
{
	sw_script_run(DIR, "save");
}

static void test_hostile_disk_names_do_not_break_the_screen(void **state SW_UNUSED)
{
	sw_script_run(DIR, "hostile");
}

static void test_keys_and_an_answer_file_make_the_same_plan(void **state SW_UNUSED)
{
	sw_script_run(DIR, "by-keys");
}

static void test_plain_mode_asks_the_same_and_makes_the_same_plan(void **state SW_UNUSED)
{
	sw_script_run(DIR, "by-lines");
}

static void test_other_sizes(void **state SW_UNUSED)
{
	sw_script_run(DIR, "sizes");
}

static void test_a_node_is_not_installed_twice_from_the_same_answers(void **state SW_UNUSED)
{
	sw_script_run(DIR, "installed-already");
	sw_script_run(DIR, "installed-start");
	sw_script_run(DIR, "installed-stays");
}

static void test_typing_goes_on_when_the_machine_changes(void **state SW_UNUSED)
{
	sw_script_run(DIR, "typing");
}

static void test_every_console_can_hold_up_an_install_and_let_it_go_on(void **state SW_UNUSED)
{
	sw_script_run(DIR, "pause");
	sw_script_run(DIR, "stop");
}

static void test_an_unattended_install_that_was_cut_goes_on_by_itself(void **state SW_UNUSED)
{
	sw_script_run(DIR, "unattended-resume");
}

static void test_another_interrupted_install_waits_for_a_person(void **state SW_UNUSED)
{
	sw_script_run(DIR, "unattended-other");
}

static void test_a_tpm_has_encrypted_proposed(void **state SW_UNUSED)
{
	sw_script_run(DIR, "encrypted");
	sw_script_run(DIR, "encrypted-no-tpm");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_the_demo_reaches_the_review_in_at_most_30_keys),
	cmocka_unit_test(test_back_keeps_what_was_typed_and_nothing_is_wanted),
	cmocka_unit_test(test_in_mode_network_the_payload_may_be_left_empty),
	cmocka_unit_test(test_a_node_may_have_several_admissions),
	cmocka_unit_test(test_files_and_secrets_of_the_node_by_hand_are_those_of_a_file),
	cmocka_unit_test(test_a_form_tells_what_is_wrong_while_typing),
	cmocka_unit_test(test_only_the_right_text_starts_the_install),
	cmocka_unit_test(test_disks_that_cannot_be_chosen_say_why),
	cmocka_unit_test(test_further_disks_are_chosen_one_after_the_other),
	cmocka_unit_test(test_a_further_disk_loses_no_more_than_was_said),
	cmocka_unit_test(test_a_node_without_a_disk_is_a_choice_with_its_losses_in_words),
	cmocka_unit_test(test_progress_log_and_success),
	cmocka_unit_test(test_a_failure_stays_with_what_to_do_next),
	cmocka_unit_test(test_an_interrupted_install_comes_first),
	cmocka_unit_test(test_an_undo_with_a_disk_away_names_it_and_is_finished_later),
	cmocka_unit_test(test_unattended_goes_from_facts_to_restart),
	cmocka_unit_test(test_unattended_asks_what_is_left_open_and_only_that),
	cmocka_unit_test(
		test_unattended_waits_until_all_disks_have_come_and_for_one_that_fits),
	cmocka_unit_test(test_waiting_for_a_disk_ends_with_the_refusal_or_at_any_key),
	cmocka_unit_test(test_any_key_stops_a_countdown),
	cmocka_unit_test(test_help_names_the_keys_that_work),
	cmocka_unit_test(test_the_boot_switch_shows_its_writes_asks_and_reads_back),
	cmocka_unit_test(test_a_disk_is_wiped_after_its_serial_was_typed_and_reported_on),
	cmocka_unit_test(test_a_wipe_that_the_disk_cannot_do_is_refused_before_consent),
	cmocka_unit_test(test_the_doctor_shows_its_findings_repairs_and_takes_back),
	cmocka_unit_test(test_what_asks_servers_says_so_meanwhile_and_can_be_stopped),
	cmocka_unit_test(test_status_and_network_are_looked_at_and_a_url_is_tested),
	cmocka_unit_test(test_all_that_an_install_needs_of_the_network_is_tested),
	cmocka_unit_test(test_an_admission_is_checked_before_it_is_needed),
	cmocka_unit_test(test_a_node_is_admitted_with_a_token_that_only_its_typist_sees),
	cmocka_unit_test(test_a_shell_is_asked_for_before_it_opens),
	cmocka_unit_test(test_each_greyed_item_says_why),
	cmocka_unit_test(test_a_restart_goes_where_it_is_told_to),
	cmocka_unit_test(test_plain_mode_shows_status_network_and_shell),
	cmocka_unit_test(test_the_tools_look_and_copy_only_where_they_are_told_to),
	cmocka_unit_test(test_a_configuration_is_judged_asked_for_and_taken_back),
	cmocka_unit_test(test_a_bundle_shows_what_goes_in_and_ends_with_its_code),
	cmocka_unit_test(test_plain_mode_has_the_tools),
	cmocka_unit_test(test_answers_and_log_can_be_saved),
	cmocka_unit_test(test_hostile_disk_names_do_not_break_the_screen),
	cmocka_unit_test(test_keys_and_an_answer_file_make_the_same_plan),
	cmocka_unit_test(test_plain_mode_asks_the_same_and_makes_the_same_plan),
	cmocka_unit_test(test_other_sizes),
	cmocka_unit_test(test_a_node_is_not_installed_twice_from_the_same_answers),
	cmocka_unit_test(test_typing_goes_on_when_the_machine_changes),
	cmocka_unit_test(test_every_console_can_hold_up_an_install_and_let_it_go_on),
	cmocka_unit_test(test_an_unattended_install_that_was_cut_goes_on_by_itself),
	cmocka_unit_test(test_another_interrupted_install_waits_for_a_person),
	cmocka_unit_test(test_a_tpm_has_encrypted_proposed),
};

int main(void)
{
	int r;

	setenv("SLIPWAY_LAYOUTS", "layouts", 1);
	r = cmocka_run_group_tests_name("screens", tests, NULL, NULL);
	sw_script_tell_frames();
	return r;
}
