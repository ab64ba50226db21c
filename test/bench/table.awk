# Sets the rows of the benchmark's table in columns and says which goals are met. A row: section,
# what is measured, the figure, the limit or peer beside it, their ratio, the smallest and largest
# of the rounds, the goal for the ratio.

function verdict(ratio, goal, parts)
{
	if (goal == "")
		return ""
	if (ratio == "")
		return "not measured"
	split(goal, parts, " ")
	if (parts[1] == ">=" ? ratio + 0 >= parts[2] + 0 : ratio + 0 <= parts[2] + 0)
		return "met"
	return "missed"
}

function keep(row, column, text)
{
	cell[row, column] = text
	if (length(text) > width[column])
		width[column] = length(text)
}

BEGIN {
	columns = split("section\tmeasured\there\tbeside\tratio\trange\tgoal\tverdict", titles, "\t")
	for (c = 1; c <= columns; c++)
		keep(0, c, titles[c])
}

{
	keep(NR, 1, $1 == last ? "" : $1)
	last = $1
	for (c = 2; c <= 7; c++)
		keep(NR, c, $c)
	keep(NR, 8, verdict($5, $7))
}

END {
	for (r = 0; r <= NR; r++) {
		text = ""
		for (c = 1; c <= columns; c++)
			text = text sprintf("%" (c < 3 || c > 6 ? "-" : "") width[c] "s  ", cell[r, c])
		sub(/ +$/, "", text)
		print text
	}
}
