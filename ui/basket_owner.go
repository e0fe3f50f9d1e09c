package ui

import (
	"net/url"

	"envivo/plant"
)

// BasketPath is the page of a basket.
const BasketPath = "/canasta"

// BasketOwner is whose basket it is: of the person before the tablet, or, with
// Assign, the one a supervisor fills for that person.
type BasketOwner struct {
	Me     plant.Worker
	Assign bool
}

// Key is what the box keeps the basket under: an assignment is not mixed with
// what the worker has in the own basket.
func (o BasketOwner) Key() plant.WorkerID {
	if o.Assign {
		return -o.Me.ID
	}
	return o.Me.ID
}

// Query names the owner in addresses of live views.
func (o BasketOwner) Query() url.Values {
	if o.Assign {
		return url.Values{"para": {id(o.Me.ID)}}
	}
	return url.Values{"yo": {id(o.Me.ID)}}
}

// Path is the page of this basket.
func (o BasketOwner) Path() string {
	if o.Assign {
		return BasketPath + "?" + o.Query().Encode()
	}
	return BasketPath
}

// Title is the page's heading.
func (o BasketOwner) Title() string {
	if o.Assign {
		return "Asignar a " + o.Me.FullName()
	}
	return "Canasta"
}

// back is where closing the basket leads.
func (o BasketOwner) back() string {
	if o.Assign {
		return SupervisorPath
	}
	return "/mis"
}

// para is the hidden field that keeps forms of an assignment apart.
func (o BasketOwner) para() string {
	if o.Assign {
		return id(o.Me.ID)
	}
	return ""
}
