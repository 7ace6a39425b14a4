// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SCOPE_ANCHOR, SCOPE_STATUS} from "../../../src/interfaces/ICredentialRegistry.sol";
import {Relay, RelayedCall} from "../../support/RelayedCall.sol";
import {Slots} from "../../support/Slots.sol";
import {Handler} from "./Handler.sol";

/// @title What a key may want, whether it sends the call or signs it
abstract contract KeyCalls is Handler {
    function _anchoring(uint256 keySeed, uint256 issuerSeed, uint256 rootSeed, uint256 sizeSeed)
        internal
        view
        returns (RelayedCall memory call)
    {
        call = _callOf(Relay.ANCHOR, SCOPE_ANCHOR, keySeed, issuerSeed);
        call.root = _rules.rootAt(rootSeed % _rules.ROOTS());
        // Mostly true, and now and then 0.
        call.size = sizeSeed % 8 == 0 ? uint32(sizeSeed >> 3) : _rules.SIZE();
    }

    function _batchRevocation(uint256 keySeed, uint256 issuerSeed, uint256 rootSeed, uint256 reasonSeed)
        internal
        view
        returns (RelayedCall memory call)
    {
        call = _callOf(Relay.REVOKE_BATCH, SCOPE_STATUS, keySeed, issuerSeed);
        call.root = _rules.rootAt(rootSeed % _rules.ROOTS());
        call.reason = _reason(reasonSeed);
    }

    /// @dev One or two of the four words, and what to change there: often few bits, so that they are met again.
    function _statusChange(Relay relay, uint256 keySeed, uint256 issuerSeed, uint256 place, uint256[2] calldata masks)
        internal
        view
        returns (RelayedCall memory call)
    {
        call = _callOf(relay, SCOPE_STATUS, keySeed, issuerSeed);
        call.reason = _reason(place >> 32);
        if (relay == Relay.REINSTATE) place = _placeToReinstate(call, place);
        uint256 first = (place >> 8) % _rules.WORDS();
        call.list = uint32(place % _rules.LISTS());
        uint256 count = first + 1 < _rules.WORDS() && (place >> 16) % 2 == 0 ? 2 : 1;
        call.words = new uint16[](count);
        call.masks = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            call.words[i] = _rules.wordAt(first + i);
            call.masks[i] = (place >> 24) % 2 == 0 ? masks[i] & 0xf : masks[i];
        }
    }

    /* PRIVATE */

    /// @dev A place with a single word in which something is suspended, if there is one: by chance it is seldom met.
    function _placeToReinstate(RelayedCall memory call, uint256 place) private view returns (uint256) {
        if (place % 8 == 0) return place;
        uint16 epoch = _rules.keyOf(call.key).statusEpoch;
        uint256 places = _rules.LISTS() * _rules.WORDS();
        for (uint256 i = place % places; i < place % places + places; ++i) {
            (uint256 list, uint256 word) = (i % _rules.LISTS(), i / _rules.LISTS() % _rules.WORDS());
            uint256 slot = Slots.word(Slots.SUSPENDED, call.issuer, epoch, uint32(list), _rules.wordAt(word));
            // Bit 16: one word; bit 24: any bits of it.
            if (_rules.bits(slot) != 0) return list | (word << 8) | (1 << 16) | (1 << 24);
        }
        return place;
    }

    /// @dev Mostly of a key that lives, and for its own issuer.
    function _callOf(Relay relay, uint8 scope, uint256 keySeed, uint256 issuerSeed)
        private
        view
        returns (RelayedCall memory call)
    {
        call.relay = relay;
        call.key = keySeed % 8 == 0 ? _anybody(keySeed >> 3) : _rules.pickKey(keySeed >> 3, scope);
        uint32 own = _rules.keyOf(call.key).issuer;
        call.issuer = own == 0 || issuerSeed % 8 == 0 ? _issuer(issuerSeed >> 3) : own;
    }
}
