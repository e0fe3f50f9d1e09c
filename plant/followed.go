package plant

import "strings"

// FollowKey is the setting that says a spool is followed by the supervisors; one
// per TAG, whatever its spelling.
func FollowKey(t Tag) string { return SettingFollowed + strings.ToUpper(string(t)) }
