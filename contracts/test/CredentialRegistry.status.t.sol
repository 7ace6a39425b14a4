// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {MAX_REASON, SCOPE_ANCHOR, SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {StatusWords} from "../src/libraries/StatusWords.sol";
import {vm} from "./Vm.sol";
import {Consent} from "./support/Consent.sol";
import {Slots} from "./support/Slots.sol";
import {StatusTest} from "./support/StatusTest.sol";

/// @title What holds for revocation, suspension and reinstatement alike
contract StatusCallsTest is StatusTest {
    // What the naive model of the fuzz test remembers.
    mapping(uint256 index => bool) private _revoked;
    mapping(uint256 index => bool) private _suspended;

    /* REFUSED */

    function test_status_revertsWithKeyNotOfIssuer() public {
        address[5] memory others = [stranger, controller, admin, accreditor, otherStatusKey];
        for (uint256 i = 0; i < others.length; ++i) {
            uint32 boundTo = others[i] == otherStatusKey ? OTHER_ISSUER : 0;
            _expectEachReverts(
                others[i],
                REASON,
                _words(1),
                _masks(1),
                abi.encodeWithSelector(IRegistryErrors.KeyNotOfIssuer.selector, others[i], ISSUER, boundTo)
            );
        }
    }

    function test_status_revertsWithWrongScope() public {
        _expectEachReverts(
            anchorKey,
            REASON,
            _words(1),
            _masks(1),
            abi.encodeWithSelector(IRegistryErrors.WrongScope.selector, anchorKey, SCOPE_ANCHOR, SCOPE_STATUS)
        );
    }

    function test_status_revertsWithKeyNotYetValid() public {
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_STATUS, 0);
        consent.validFrom = START + 1;
        _addKey(controller, consent, NEW_PK);
        _expectEachReverts(
            newKey,
            REASON,
            _words(1),
            _masks(1),
            abi.encodeWithSelector(IRegistryErrors.KeyNotYetValid.selector, newKey, START + 1)
        );
        vm.warp(START + 1);
        vm.prank(newKey);
        registry.suspend(ISSUER, LIST, _words(1), _masks(1), REASON);
        _audit();
    }

    function test_status_revertsWithKeyCutOff() public {
        _compromiseKey(controller, statusKey, START);
        _expectEachReverts(
            statusKey,
            REASON,
            _words(1),
            _masks(1),
            abi.encodeWithSelector(IRegistryErrors.KeyCutOff.selector, statusKey, START)
        );
    }

    /// Half-open: good in the second of the retirement, not in the next.
    function test_status_revertsWithKeyCutOffAfterItsEnd() public {
        _retireKey(controller, statusKey);
        _suspend(_words(2), _masks(1));
        _reinstate(_words(2), _masks(1));
        _revoke(_words(2), _masks(1));
        for (uint40 at = START + 1; at <= START + 2; ++at) {
            vm.warp(at);
            _expectEachReverts(
                statusKey,
                REASON,
                _words(1),
                _masks(1),
                abi.encodeWithSelector(IRegistryErrors.KeyCutOff.selector, statusKey, START + 1)
            );
        }
    }

    function test_fuzz_status_revertsWithInvalidReason(uint8 reason) public {
        vm.assume(reason == 0 || reason > MAX_REASON);
        _expectEachReverts(
            statusKey,
            reason,
            _words(1),
            _masks(1),
            abi.encodeWithSelector(IRegistryErrors.InvalidReason.selector, reason)
        );
    }

    function test_status_takesEveryReason() public {
        for (uint8 reason = 1; reason <= MAX_REASON; ++reason) {
            vm.prank(statusKey);
            registry.revoke(ISSUER, LIST, _words(reason), _masks(1), reason);
        }
        _audit();
    }

    function test_status_revertsWithWordCountOutOfRange() public {
        _expectEachReverts(
            statusKey,
            REASON,
            new uint16[](0),
            new uint256[](0),
            abi.encodeWithSelector(IRegistryErrors.WordCountOutOfRange.selector, 0, 512)
        );
        (uint16[] memory words, uint256[] memory masks) = _allWords(513);
        _expectEachReverts(
            statusKey,
            REASON,
            words,
            masks,
            abi.encodeWithSelector(IRegistryErrors.WordCountOutOfRange.selector, 513, 512)
        );
    }

    function test_status_revertsWithWordMaskMismatch() public {
        _expectEachReverts(
            statusKey,
            REASON,
            _words(1),
            _masks(1, 1),
            abi.encodeWithSelector(IRegistryErrors.WordMaskMismatch.selector, 1, 2)
        );
        _expectEachReverts(
            statusKey,
            REASON,
            _words(1, 2),
            _masks(1),
            abi.encodeWithSelector(IRegistryErrors.WordMaskMismatch.selector, 2, 1)
        );
    }

    function test_fuzz_status_revertsWithWordOutOfRange(uint16 word) public {
        vm.assume(word >= 512);
        _expectEachReverts(
            statusKey,
            REASON,
            _words(1, word),
            _masks(1, 1),
            abi.encodeWithSelector(IRegistryErrors.WordOutOfRange.selector, word)
        );
    }

    function test_status_revertsWithWordOutOfRangeJustPastTheEnd() public {
        _expectEachReverts(
            statusKey,
            REASON,
            _words(511, 512),
            _masks(1, 1),
            abi.encodeWithSelector(IRegistryErrors.WordOutOfRange.selector, 512)
        );
    }

    function test_status_revertsWithWordsNotIncreasing() public {
        uint16[2][2] memory wrong = [[uint16(3), 3], [uint16(3), 2]];
        for (uint256 i = 0; i < wrong.length; ++i) {
            // Different bits, so that the order is all that is wrong.
            _expectEachReverts(
                statusKey,
                REASON,
                _words(wrong[i][0], wrong[i][1]),
                _masks(1, 2),
                abi.encodeWithSelector(IRegistryErrors.WordsNotIncreasing.selector, wrong[i][0], wrong[i][1])
            );
        }
    }

    /* VIEWS */

    function test_statusOf_revertsWithUnknownIssuer() public {
        uint32[2] memory unknown = [uint32(0), 3];
        for (uint256 i = 0; i < unknown.length; ++i) {
            bytes memory error = abi.encodeWithSelector(IRegistryErrors.UnknownIssuer.selector, unknown[i]);
            vm.expectRevert(error);
            registry.isRevoked(unknown[i], LIST, 0);
            vm.expectRevert(error);
            registry.isSuspended(unknown[i], LIST, 0);
            vm.expectRevert(error);
            registry.statusOf(unknown[i], LIST, 0);
        }
    }

    function test_fuzz_statusOf_revertsWithStatusIndexOutOfRange(uint256 index) public {
        vm.assume(index >= 131_072);
        bytes memory error = abi.encodeWithSelector(StatusWords.StatusIndexOutOfRange.selector, index);
        vm.expectRevert(error);
        registry.isRevoked(ISSUER, LIST, index);
        vm.expectRevert(error);
        registry.isSuspended(ISSUER, LIST, index);
        vm.expectRevert(error);
        registry.statusOf(ISSUER, LIST, index);
    }

    /* AGAINST A NAIVE MODEL */

    /// Three words, touched at random, one boolean a credential.
    function test_fuzz_status_agreesWithOneBooleanPerCredential(uint256[12] calldata masks, uint256 choices) public {
        for (uint256 i = 0; i < masks.length; ++i) {
            uint256 choice = choices >> (8 * i);
            uint16 word = uint16(choice & 3) + 254;
            uint256 action = (choice >> 2) % 3;
            // Few bits, all below the 24th, so that some are met again.
            uint256 mask = masks[i] & masks[(i + 1) % masks.length] & 0xff00ff;
            if (!_changes(action, word, mask)) continue;
            _act(action, _words(word), _masks(mask));
            _remember(action, word, mask);
        }
        for (uint256 i = 0; i < 4 * 24; ++i) {
            uint256 index = (254 + i / 24) * 256 + i % 24;
            (bool revoked, bool suspended) = registry.statusOf(ISSUER, LIST, index);
            vm.assertEq(revoked, _revoked[index], "revoked");
            vm.assertEq(suspended, _suspended[index], "suspended");
        }
        _audit();
    }

    function _changes(uint256 action, uint16 word, uint256 mask) private view returns (bool) {
        for (uint256 bit = 0; bit < 24; ++bit) {
            if ((mask >> bit) & 1 == 0) continue;
            uint256 index = uint256(word) * 256 + bit;
            if (action == 0 ? !_revoked[index] : _suspended[index] == (action == 2)) return true;
        }
        return false;
    }

    function _remember(uint256 action, uint16 word, uint256 mask) private {
        for (uint256 bit = 0; bit < 24; ++bit) {
            if ((mask >> bit) & 1 == 0) continue;
            if (action == 0) _revoked[uint256(word) * 256 + bit] = true;
            else _suspended[uint256(word) * 256 + bit] = action == 1;
        }
    }

    /* HELPERS */

    function _expectEachReverts(
        address who,
        uint8 reason,
        uint16[] memory words,
        uint256[] memory masks,
        bytes memory error
    ) private {
        vm.expectRevert(error);
        vm.prank(who);
        registry.revoke(ISSUER, LIST, words, masks, reason);
        vm.expectRevert(error);
        vm.prank(who);
        registry.suspend(ISSUER, LIST, words, masks, reason);
        _storeSuspended(words, type(uint256).max);
        vm.expectRevert(error);
        vm.prank(who);
        registry.reinstate(ISSUER, LIST, words, masks, reason);
        _storeSuspended(words, 0);
    }

    /// @dev So that there is something to reinstate, and the error is not that there is not.
    function _storeSuspended(uint16[] memory words, uint256 bits) private {
        for (uint256 i = 0; i < words.length; ++i) {
            uint256 slot = Slots.word(Slots.SUSPENDED, ISSUER, 0, LIST, words[i]);
            vm.store(address(registry), bytes32(slot), bytes32(bits));
        }
    }
}
